/**
 * Loaded before main.ts where a test measures memory: SIGUSR2 collects garbage at once. The runtime
 * alone collects large garbage when it needs the room, which may be minutes later; what a test has
 * to know is whether anything is still held.
 */
Deno.addSignalListener("SIGUSR2", () => (globalThis as unknown as { gc(): void }).gc());
