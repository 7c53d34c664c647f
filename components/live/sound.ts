/** Two soft tones, a fifth apart: heard, and over before they disturb. */
const TONES = [{ hertz: 587, at: 0 }, { hertz: 880, at: 0.09 }];
const SECONDS = 0.22;
const LOUDNESS = 0.05;

let context: AudioContext | null = null;

/** Browsers let a page sound only after somebody has used it: from then on it may. */
export function allowSound(): () => void {
  const wake = () => {
    context ??= new AudioContext();
    void context.resume().catch(() => {});
    end();
  };
  const end = () => {
    document.removeEventListener("pointerdown", wake);
    document.removeEventListener("keydown", wake);
  };
  document.addEventListener("pointerdown", wake);
  document.addEventListener("keydown", wake);
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
