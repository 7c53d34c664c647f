type Rgb = [number, number, number];

function parse(hex: string): Rgb {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16 & 255, value >> 8 & 255, value & 255];
}
function format(rgb: Rgb): string {
  return "#" + rgb.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");
}
/** Relative luminance, WCAG 2.2. */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio of two "#rrggbb" colours, 1 to 21, WCAG 2.2. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(parse(one)), luminance(parse(other))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** White where it is readable on `background` (4.5 to 1), else black, which then is. */
export function textOn(background: string): string {
  return contrast(background, "#ffffff") >= 4.5 ? "#ffffff" : "#000000";
}

/** `color`, moved towards black or white until it is readable on `background` (4.5 to 1). */
export function readable(color: string, background: string): string {
  const target = luminance(parse(background)) > 0.18 ? 0 : 255;
  const from = parse(color);
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = format(from.map((part) => part + (target - part) * share) as Rgb);
    if (contrast(mixed, background) >= 4.5) return mixed;
  }
  return format([target, target, target]);
}
