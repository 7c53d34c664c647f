import "../styles/contacts.css";
import { useState } from "preact/hooks";
import { BadgeCheck, Pencil, Plus } from "lucide-preact";
import type { ContactProfile, Provenance } from "../../protocol/contacts.ts";
import { webHref } from "../../client/links.ts";
import { deviceWords } from "../format/device.ts";
import { exactTime, mediumTime, shortAge } from "../format/time.ts";
import { useWorkspace } from "../shell/context.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Time } from "../ui/Time.tsx";
import { AttributesForm } from "./AttributesForm.tsx";
import { Fact, PageLink } from "./facts.tsx";
import { identityWord, languageWords, provenanceWords, valueWords } from "./words.ts";

/** Who the contact is, how that is known, and what else the team or the website knows of them. */
export function IdentitySection({ profile, onSaved }: {
  profile: ContactProfile;
  onSaved: () => void;
}) {
  const [editing, setEditing] = useState(false);
  const { provenance, identities, attributes, contact } = profile;
  return (
    <>
      {(provenance.name || (provenance.email && contact.email) || identities.length > 0) && (
        <section aria-labelledby="context-identity">
          <h3 id="context-identity">Identity</h3>
          <dl class="facts">
            {provenance.name && (
              <Fact name="Name">
                <Known value={contact.name} by={provenance.name} />
              </Fact>
            )}
            {provenance.email && contact.email && (
              <Fact name="E-mail">
                <Known value={contact.email} by={provenance.email} />
              </Fact>
            )}
            {identities.map(({ platform, externalId, verified, createdAt }) => (
              <Fact key={platform + externalId} name={identityWord(platform)}>
                <Known
                  value={externalId}
                  by={{ source: "token", verified, by: null, at: createdAt }}
                />
              </Fact>
            ))}
          </dl>
        </section>
      )}
      <section aria-labelledby="context-attributes">
        <h3 id="context-attributes">Attributes</h3>
        {attributes.length > 0 && (
          <dl class="facts">
            {attributes.map(({ name, value, ...by }) => (
              <Fact key={name} name={name}>
                <Known value={valueWords(value)} by={by} />
              </Fact>
            ))}
          </dl>
        )}
        <div class="section-foot">
          <Button
            size="s"
            kind="quiet"
            icon={attributes.length === 0
              ? <Plus size={14} aria-hidden="true" />
              : <Pencil size={14} aria-hidden="true" />}
            onClick={() => setEditing(true)}
          >
            {attributes.length === 0 ? "Add attribute" : "Edit attributes"}
          </Button>
        </div>
        <Dialog
          open={editing}
          title="Attributes"
          onClose={() => setEditing(false)}
          focusInside
        >
          {editing && (
            <AttributesForm
              contactId={contact.id}
              attributes={attributes}
              onClose={() => setEditing(false)}
              onSaved={() => {
                setEditing(false);
                onSaved();
              }}
            />
          )}
        </Dialog>
      </section>
    </>
  );
}

function Known({ value, by }: { value: string; by: Provenance }) {
  const { clock } = useWorkspace();
  return (
    <>
      <span dir="auto">{value}</span>
      {by.verified && <BadgeCheck class="verified" size={14} role="img" aria-label="Verified" />}
      <span class="provenance" title={exactTime(by.at, clock.value)}>{provenanceWords(by)}</span>
    </>
  );
}

/** The browsers that they wrote from, and where they came from. */
export function VisitSection({ profile }: { profile: ContactProfile }) {
  const { clock } = useWorkspace();
  const [visit, ...earlier] = profile.visits;
  if (visit === undefined) return null;
  const { referrer } = profile;
  return (
    <section aria-labelledby="context-visit">
      <h3 id="context-visit">Browser</h3>
      <dl class="facts">
        <Fact name="Browser">
          <span title={visit.userAgent ?? undefined}>{deviceWords(visit.userAgent)}</span>
        </Fact>
        {visit.language && (
          <Fact name="Language">
            <span title={visit.language}>{languageWords(visit.language)}</span>
          </Fact>
        )}
        {visit.origin && <Fact name="Website">{hostOf(visit.origin)}</Fact>}
        {referrer && (
          <Fact name="Came from">
            <PageLink url={referrer} />
          </Fact>
        )}
        {earlier.length > 0 && (
          <Fact name="Also on">
            {earlier.map((one) => (
              <span class="also" key={one.startedAt}>
                {deviceWords(one.userAgent)},{" "}
                <Time iso={one.lastSeenAt} clock={clock.value} as={mediumTime} />
              </span>
            ))}
          </Fact>
        )}
      </dl>
    </section>
  );
}

const hostOf = (origin: string) => {
  const href = webHref(origin);
  return href === null ? origin : new URL(href).host;
};

/** The pages that they saw, the newest first. */
export function PagesSection({ profile }: { profile: ContactProfile }) {
  const { clock } = useWorkspace();
  if (profile.pages.length === 0) return null;
  return (
    <section aria-labelledby="context-pages">
      <h3 id="context-pages">Pages seen</h3>
      <ol class="pages-seen facts">
        {profile.pages.map(({ url, title, seenAt }) => (
          <li key={seenAt + url}>
            <div>
              <PageLink url={url} title={title} />
            </div>
            <Time iso={seenAt} clock={clock.value} as={shortAge} />
          </li>
        ))}
      </ol>
    </section>
  );
}
