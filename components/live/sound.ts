/** Two soft tones, a fifth apart: audible, and too short to disturb. */
const TONES = [{ hertz: 587, at: 0 }, { hertz: 880, at: 0.09 }];
const SECONDS = 0.22;
const LOUDNESS = 0.05;

let context: AudioContext | null = null;

/** Browsers allow sound only after the user has interacted with the page. */
export function allowSound(): () => void {
  const unlock = () => {
    context ??= new AudioContext();
    void context.resume().catch(() => {});
    end();
  };
  const end = () => {
    document.removeEventListener("pointerdown", unlock);
    document.removeEventListener("keydown", unlock);
  };
  document.addEventListener("pointerdown", unlock);
  document.addEventListener("keydown", unlock);
  return end;
}

/** Plays the sound; silent while the browser does not allow it. */
export function playSound(): void {
  context ??= new AudioContext();
  if (context.state !== "running") return;
  const start = context.currentTime;
  for (const { hertz, at } of TONES) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, start + at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, start + at + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + at + SECONDS);
    tone.connect(volume).connect(context.destination);
    tone.start(start + at);
    tone.stop(start + at + SECONDS);
  }
}
