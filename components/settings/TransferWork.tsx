import { useEffect, useState } from "preact/hooks";
import type { User } from "../../protocol/model.ts";
import type { Workload } from "../../protocol/rest.ts";
import { errorText } from "../live/api.ts";
import { useWorkspace } from "../shell/context.ts";
import { Notice } from "../ui/Notice.tsx";
import { Select } from "../ui/Select.tsx";

/** The conversations of a person who is being disabled, and who takes them over; null is nobody. */
export function TransferWork({ person, people, to, onChange }: {
  person: User;
  people: readonly User[];
  to: string | null;
  onChange: (to: string | null) => void;
}) {
  const { me, request } = useWorkspace();
  const [work, setWork] = useState<Workload | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    let here = true;
    request<Workload>(`/api/users/${person.id}/workload`).then(
      (workload) => here && setWork(workload),
      (cause) => here && setError(errorText(cause)),
    );
    return () => here = false;
  }, [person.id]);

  const own = person.id === me.value.id;
  const others = people.filter(({ id, disabledAt }) => disabledAt === null && id !== person.id);
  return (
    <>
      <div aria-live="polite">
        {error !== null
          ? <Notice>{error}</Notice>
          : <p>{work === null ? "Counting the conversations…" : words(work, person, own)}</p>}
      </div>
      {(error !== null || (work !== null && sumOf(work) > 0)) && (
        <Select
          id="hand-over-to"
          label="Hand over to"
          value={to ?? ""}
          options={[
            { value: "", label: "Nobody (back to unassigned)" },
            ...others.map(({ id, name }) => ({
              value: id,
              label: id === me.value.id ? `${name} (you)` : name,
            })),
          ]}
          onChange={(value) => onChange(value === "" ? null : value)}
        />
      )}
    </>
  );
}

const sumOf = ({ open, pending, snoozed }: Workload) => open + pending + snoozed;

/** "Grace has 3 conversations: 2 open, 1 pending." */
function words(work: Workload, { name }: User, own: boolean): string {
  const has = own ? "You have" : `${name} has`;
  const sum = sumOf(work);
  if (sum === 0) return `${has} no open conversations.`;
  const parts = (["open", "pending", "snoozed"] as const).filter((status) => work[status] > 0)
    .map((status) => `${work[status]} ${status}`);
  return parts.length === 1
    ? `${has} ${sum} ${parts[0]!.split(" ")[1]} ${sum === 1 ? "conversation" : "conversations"}.`
    : `${has} ${conversations(sum)}: ${parts.join(", ")}.`;
}

export function conversations(n: number): string {
  return `${n} conversation${n === 1 ? "" : "s"}`;
}
