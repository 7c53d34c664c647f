import { useEffect, useState } from "preact/hooks";
import { Monitor, Smartphone } from "lucide-preact";
import type { SignInInfo, SignInList } from "../../protocol/sign_ins.ts";
import { deviceWords, isHandheld } from "../format/device.ts";
import { shortAge } from "../format/time.ts";
import { ApiError, errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { Notice } from "../ui/Notice.tsx";
import { ListSkeleton } from "../ui/Skeleton.tsx";
import { Time } from "../ui/Time.tsx";

/** The sign-in that is being ended, by its id, or all of them. */
type Busy = string | "all" | null;

/** A person's sign-ins, and buttons to end them. `path` is the person's in the API. */
export function SignIns({ path, own }: { path: string; own: boolean }) {
  const { request, toasts, live } = useWorkspace();
  const [items, setItems] = useState<SignInInfo[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState<Busy>(null);

  async function load() {
    try {
      const list = await request<SignInList>(path);
      setItems(list.items);
      setProblem(null);
    } catch (error) {
      setProblem(errorText(error));
    }
  }
  const alive = live.value;
  useEffect(() => {
    if (alive) void load();
  }, [path, alive]);

  async function run(which: Busy, end: () => Promise<string>) {
    if (busy !== null) return;
    setBusy(which);
    try {
      const text = await end();
      await load();
      toasts.show({ tone: "good", text });
    } catch (error) {
      setProblem(errorText(error));
    }
    setBusy(null);
  }
  const endOne = (one: SignInInfo) =>
    run(one.id, async () => {
      try {
        await request(`${path}/${one.id}`, { method: "DELETE" });
      } catch (cause) {
        // It has expired, or somebody else has ended it.
        if (!(cause instanceof ApiError) || cause.status !== 404) throw cause;
      }
      return `${deviceWords(one.userAgent)} is signed out.`;
    });
  const endOthers = () =>
    run("all", async () => {
      const { ended } = await request<{ ended: number }>(path, { method: "DELETE" });
      return ended === 1 ? "One sign-in is ended." : `${ended} sign-ins are ended.`;
    });

  if (items === null) {
    if (problem !== null) return <Notice>{problem}</Notice>;
    return <ListSkeleton rows={2} label="Loading the sign-ins" />;
  }
  const others = items.filter(({ current }) => !current).length;
  return (
    <div class="sign-ins">
      {items.length === 0
        ? <p class="field-hint">Not signed in anywhere.</p>
        : (
          <ul class="cards" aria-label="Sign-ins">
            {items.map((one) => (
              <SignInCard
                key={one.id}
                signIn={one}
                busy={busy === one.id}
                onEnd={() => void endOne(one)}
              />
            ))}
          </ul>
        )}
      {others > (own ? 0 : 1) && (
        <div>
          <Button busy={busy === "all"} onClick={() => void endOthers()}>
            {own ? "End all others" : "End all"}
          </Button>
        </div>
      )}
      <div aria-live="assertive">{problem && <Notice>{problem}</Notice>}</div>
    </div>
  );
}

function SignInCard({ signIn, busy, onEnd }: {
  signIn: SignInInfo;
  busy: boolean;
  onEnd: () => void;
}) {
  const { clock } = useWorkspace();
  const { userAgent, address, current, lastUsedAt } = signIn;
  const words = deviceWords(userAgent);
  const Icon = isHandheld(userAgent) ? Smartphone : Monitor;
  return (
    <li>
      <div class="card">
        <Icon size={16} aria-hidden="true" />
        <span class="card-words">
          <strong title={userAgent ?? undefined}>{words}</strong>
          <span>
            {address !== null && `${address}, `}last used{" "}
            <Time iso={lastUsedAt} clock={clock.value} as={shortAge} />
          </span>
        </span>
        {current ? <Badge tone="good">This one</Badge> : (
          <Button
            size="s"
            busy={busy}
            aria-label={`End ${words}, ${address ?? "unknown address"}`}
            onClick={onEnd}
          >
            End
          </Button>
        )}
      </div>
    </li>
  );
}
