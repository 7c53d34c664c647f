/**
 * Conversations for `deno task demo`: two weeks of a small pottery shop. v: visitor, a: agent, n:
 * note.
 */
import type { CreateCannedResponseBody } from "../protocol/canned_responses.ts";
import type { CreateLabelBody } from "../protocol/labels.ts";
import type { CreateViewBody } from "../protocol/views.ts";
import type { Priority } from "../protocol/model.ts";

interface LineExtras {
  /** A name in `demo_files/`. */
  file?: string;
  /** Index of the line that it replies to. */
  answers?: number;
}

export interface Script {
  name: string;
  email?: string;
  /** Hours before now at which it began. */
  hoursAgo: number;
  /** Index of the agent who answers. */
  agent: 0 | 1 | 2;
  assigned?: boolean;
  resolved?: boolean;
  /** Names of `LABELS`. */
  labels?: string[];
  priority?: Priority;
  lines: [who: "v" | "a" | "n", text: string, more?: LineExtras][];
  /** Of a resolved conversation: 1 to 5, and what the visitor says to it. */
  rating?: [rating: number, comment?: string];
}

export const LABELS: CreateLabelBody[] = [
  { name: "Order", color: "blue" },
  { name: "Damaged", color: "red" },
  { name: "Trade", color: "green", description: "Cafés, shops and interior designers" },
  { name: "Product question", color: "amber" },
];

/** Canned replies and a macro, for everybody. */
export const CANNED_REPLIES: CreateCannedResponseBody[] = [
  {
    shortCode: "hello",
    folder: "Greetings",
    content: "Hello {{contact.firstName|there}}, thank you for writing to Northwind Pottery!",
  },
  {
    shortCode: "order-number",
    folder: "Orders",
    content: "Could you tell me your order number? It begins with NW and is in the confirmation.",
  },
  {
    shortCode: "delivery",
    folder: "Orders",
    content: "We ship on Tuesdays and Fridays. Within Europe a parcel takes two to four days.",
  },
  {
    shortCode: "replace",
    folder: "Orders",
    content: "I'm sorry, {{contact.firstName|there}}! A new one leaves our kiln room tomorrow.",
    actions: { assignTo: "me", status: "pending" },
  },
];

/** A team, of the agents with these names; it has the conversations with this label. */
export const TEAM = { name: "Trade", label: "Trade", members: ["Grace Okafor", "Tomás Becker"] };

/** Saved views, for everybody. */
export const VIEWS: CreateViewBody[] = [
  { name: "Urgent", filter: { priority: "urgent", sort: "waiting" }, sharedWith: "everybody" },
  {
    name: "Waiting for an hour",
    filter: { status: "open", waitingMinutes: 60, sort: "waiting" },
    sharedWith: "everybody",
  },
];

export const AGENTS = [
  { name: "Ada Park", email: "ada@northwind.example", role: "admin" as const },
  { name: "Grace Okafor", email: "grace@northwind.example", role: "agent" as const },
  { name: "Tomás Becker", email: "tomas@northwind.example", role: "agent" as const },
];

export const SCRIPTS: Script[] = [
  {
    name: "Maya Lindqvist",
    email: "maya.lindqvist@example.com",
    hoursAgo: 0.3,
    agent: 0,
    labels: ["Product question"],
    lines: [
      [
        "v",
        "Hi! Is the blue teapot coming back? It says sold out but I saw one in your story yesterday.",
      ],
      ["v", "I'd need it by the 12th, it's a wedding present 🙂"],
    ],
  },
  {
    name: "Jonas Weber",
    email: "jonas@weber-interiors.example",
    hoursAgo: 1.2,
    agent: 1,
    assigned: true,
    labels: ["Trade", "Order"],
    priority: "high",
    lines: [
      [
        "v",
        "Hello, we are furnishing a café and would need 40 of the stoneware cups. Do you give a trade price?",
      ],
      [
        "a",
        "Hello Jonas, we do: 15 % from 24 pieces on. Which glaze did you have in mind?",
        { file: "glaze-samples.jpg" },
      ],
      ["v", "Ash white, and ten of them in the green."],
      [
        "n",
        "Ash white is fired again on Thursday. 30 + 10 is possible before Christmas if he decides this week.",
      ],
      [
        "a",
        "Both can be fired next week:\n\n- **30 cups**, ash white, Thursday\n- **10 cups**, green, Friday\n\nSo you would have them by *4 December*. Shall I send you a quote?",
        { answers: 2 },
      ],
      ["v", "Yes please, to this address. And does the price include delivery to Hamburg?"],
      ["a", "It does. Here is the quote, with duties paid.", { file: "quote-NW-Q118.pdf" }],
      ["v", "Thank you, I'll show it to my partner tonight. Do we pay before or after delivery?"],
    ],
  },
  {
    name: "Priya Raman",
    email: "priya.r@example.org",
    hoursAgo: 2.5,
    agent: 0,
    assigned: true,
    labels: ["Damaged"],
    priority: "urgent",
    lines: [
      [
        "v",
        "My parcel arrived today and one of the bowls has a crack along the rim.",
        { file: "cracked-bowl.jpg" },
      ],
      ["a", "Oh no, I'm sorry! Could you tell me your order number? We'll replace it."],
      ["v", "NW-20417. It's the small serving bowl."],
      ["a", "Found it. A new one leaves tomorrow, you don't need to send the cracked one back."],
      ["v", "That was fast. Thank you!"],
    ],
  },
  {
    name: "Oliver Grant",
    hoursAgo: 5,
    agent: 2,
    labels: ["Product question"],
    lines: [["v", "Are your plates dishwasher safe?"]],
  },
  {
    name: "Sofia Marchetti",
    email: "sofia.marchetti@example.it",
    hoursAgo: 7,
    agent: 1,
    assigned: true,
    labels: ["Order"],
    lines: [
      ["v", "Buongiorno, do you ship to Italy?"],
      ["a", "We do! Delivery takes four to six working days and costs £18, free above £150."],
      ["v", "And customs?"],
      [
        "a",
        "Duties are included in the price you see at checkout, so there is nothing more to pay at the door.",
      ],
      ["v", "Perfetto. One last thing: can I choose the evening for the delivery?"],
    ],
  },
  {
    name: "Daniel Osei",
    email: "d.osei@example.com",
    hoursAgo: 22,
    agent: 0,
    assigned: true,
    lines: [
      ["v", "Can I still change the address on NW-20398? I typed my old flat number."],
      ["a", "Yes, it has not left yet. What is the right one?"],
      ["v", "14 Harbour Row, Flat 6 instead of 9."],
      ["a", "Changed. You'll get a new confirmation in a minute."],
      ["v", "Got it, thanks a lot"],
    ],
    resolved: true,
    rating: [5],
  },
  {
    name: "Hannah Fischer",
    hoursAgo: 26,
    agent: 2,
    assigned: true,
    lines: [
      ["v", "Do you offer courses? I would love to learn throwing."],
      [
        "a",
        "We do a weekend course every second month. The next one is 16–17 January and has three places left.",
      ],
      ["v", "What does it cost?"],
      ["a", "£190 with clay, two firings and lunch: https://northwind.example/studio/weekend"],
      ["v", "I'll talk to my sister and come back to you."],
    ],
  },
  {
    name: "Kenji Watanabe",
    email: "kenji@example.jp",
    hoursAgo: 31,
    agent: 1,
    assigned: true,
    resolved: true,
    lines: [
      ["v", "こんにちは。Is the tea bowl from the front page handmade or cast?"],
      ["a", "Thrown by hand, each of them. The foot carries the potter's mark."],
      ["v", "Thank you, that is what I hoped to hear. I have ordered two."],
    ],
    rating: [5, "Quick and kind."],
  },
  {
    name: "Lucy Hale",
    email: "lucy.hale@example.co.uk",
    hoursAgo: 47,
    agent: 0,
    assigned: true,
    resolved: true,
    lines: [
      ["v", 'Where is my order? It has said "in transit" for six days now.'],
      ["a", "Let me look that up, one moment."],
      ["n", "Carrier lost the scan in Leeds, parcel is moving again since this morning."],
      [
        "a",
        "It was stuck at a depot and is on its way again; they promise tomorrow before noon. I'm sorry for the wait.",
      ],
      ["v", "OK, fingers crossed."],
      ["v", "It's here! All in one piece."],
      ["a", "Wonderful. Enjoy the vase!"],
    ],
    rating: [4, "Slow parcel, but you kept me posted the whole time."],
  },
  {
    name: "Amir Haddad",
    hoursAgo: 70,
    agent: 2,
    assigned: true,
    resolved: true,
    lines: [
      ["v", "Is the glaze lead free?"],
      ["a", "Yes. All our glazes are food safe and tested each year; I can send you the report."],
      ["v", "No need, thanks for confirming."],
    ],
  },
  {
    name: "Emma Novak",
    email: "emma@novak.example",
    hoursAgo: 96,
    agent: 1,
    assigned: true,
    resolved: true,
    lines: [
      ["v", "Could you engrave initials on the bottom of a mug?"],
      [
        "a",
        "Before firing, yes: up to four letters, and it takes three weeks. Shall I note an order?",
      ],
      ["v", "E.N. + T.K. please. It's for our anniversary on 20 December."],
      ["a", "Noted, it will be ready on the 12th."],
    ],
  },
  {
    name: "Pierre Lacroix",
    email: "pierre.lacroix@example.fr",
    hoursAgo: 150,
    agent: 0,
    assigned: true,
    resolved: true,
    lines: [
      ["v", "Bonjour! The discount code from your newsletter does not work."],
      [
        "a",
        "Bonjour Pierre, it was typed with a zero instead of an O in some mails, sorry. KILN-OCT works.",
      ],
      ["v", "Merci, it worked."],
    ],
    rating: [3, "It took two days until somebody answered."],
  },
  {
    name: "Grace Mbeki",
    hoursAgo: 210,
    agent: 2,
    assigned: true,
    resolved: true,
    lines: [
      ["v", "Do you take old pieces back for recycling?"],
      [
        "a",
        "We do, crushed stoneware becomes grog for new clay. Bring them to the studio any Friday.",
      ],
    ],
  },
  {
    name: "Noah Petersen",
    email: "noah.p@example.dk",
    hoursAgo: 290,
    agent: 1,
    assigned: true,
    resolved: true,
    lines: [
      ["v", "What size is the large platter exactly? The page says both 38 and 36 cm."],
      [
        "a",
        "36 cm after firing; 38 was the size before. The page is mended now, thank you for telling us!",
      ],
    ],
  },
];
