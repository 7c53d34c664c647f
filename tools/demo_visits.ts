/** Browsers, pages and attributes of the visitors in the demo data. */
import type { Db } from "../db/database.ts";
import { uuidv7 } from "../db/uuid.ts";
import type { Attributes } from "../protocol/contacts.ts";

interface Visitor {
  userAgent: string;
  locale: string;
  referrer?: string;
  attributes?: Attributes;
  /** Addresses and titles, in their order. */
  pages: [string, string][];
}

const SHOP = "https://shop.example";

export const VISITORS: Visitor[] = [
  {
    userAgent:
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    locale: "en-GB",
    referrer: "https://www.search.example/",
    attributes: { plan: "Business", seats: 12, "customer number": "C-20417" },
    pages: [["/", "Lantern & Oak"], ["/lamps", "Lamps"], ["/cart", "Your basket"]],
  },
  {
    userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
    locale: "de-AT",
    attributes: { plan: "Free", newsletter: true },
    pages: [["/lamps/oslo", "Oslo table lamp"], ["/delivery", "Delivery and returns"]],
  },
  {
    userAgent:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    locale: "fr-FR",
    referrer: "https://news.example/best-desk-lamps",
    pages: [["/lamps/fjord", "Fjord desk lamp"], ["/account/orders", "Your orders"]],
  },
];

/** Stores what this visitor saw before and while they wrote. */
export async function recordPages(
  db: Db,
  contactId: string,
  { pages, referrer }: Visitor,
  began: Date,
): Promise<void> {
  const minute = 60_000;
  await db.insertInto("contact_pages").values(pages.map(([path, title], i) => ({
    id: uuidv7(),
    contact_id: contactId,
    url: SHOP + path,
    title,
    referrer: i === 0 ? referrer ?? null : null,
    seen_at: new Date(began.getTime() - (pages.length - i) * 2 * minute),
  }))).execute();
}
