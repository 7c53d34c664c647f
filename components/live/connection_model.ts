import { computed, signal } from "@preact/signals";
import type { ConnectionState } from "../../client/mod.ts";

/** Milliseconds that a connection may be lost before the page shows it. */
const PATIENCE_MS = 1_200;

export type ConnectionModel = ReturnType<typeof createConnectionModel>;
export type Trouble = "none" | "connecting" | "reconnecting" | "offline" | "failed";

/** What the page shows about the connection: nothing while it works. */
export function createConnectionModel() {
  const state = signal<ConnectionState>("idle");
  const patient = signal(true);
  /** Before the first connection there is nothing to connect to again. */
  let isFirst = true;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const trouble = computed<Trouble>(() => {
    if (state.value === "failed") return "failed";
    if (state.value === "offline") return "offline";
    if (patient.value) return "none";
    if (state.value !== "reconnecting" && state.value !== "connecting") return "none";
    return isFirst ? "connecting" : "reconnecting";
  });

  function set(next: ConnectionState) {
    const lost = next === "reconnecting" || next === "connecting";
    if (lost && timer === undefined) {
      timer = setTimeout(() => patient.value = false, PATIENCE_MS);
    } else if (next === "connected") {
      isFirst = false;
      clearTimeout(timer);
      timer = undefined;
      patient.value = true;
    }
    state.value = next;
  }
  return { state, trouble, set };
}
