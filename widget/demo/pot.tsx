export type Shape = "jar" | "bowl" | "mug" | "vase" | "plate" | "teapot";

/** Outlines in a 120 × 120 square; the base is at y = 104. */
const OUTLINES: Record<Shape, string> = {
  jar: "M46 26h28v8c18 4 28 18 28 36 0 22-14 34-28 34H46c-14 0-28-12-28-34 0-18 10-32 28-36Z",
  bowl: "M12 52h96c0 28-16 44-34 48v4H46v-4C28 96 12 80 12 52Z",
  mug: "M26 36h56v12c22-4 30 8 26 24-3 13-14 18-28 16-2 8-6 13-12 16H40c-10-5-14-16-14-32Z" +
    "M82 58v20c9 1 15-2 16-9 2-9-5-13-16-11Z",
  vase: "M50 14h20v22c0 8 24 18 24 42 0 14-8 24-18 26H44c-10-2-18-12-18-26 0-24 24-34 24-42Z",
  plate: "M6 82h108c-4 12-22 18-38 19v3H44v-3C28 100 10 94 6 82Z",
  teapot: "M44 34c0-8 32-8 32 0l6 6c10 6 15 14 17 22l15-12 4 6-18 34c-4 8-12 14-20 14H42" +
    "c-10 0-18-6-22-16C8 88 4 76 8 66c4-9 12-12 20-10 3-7 8-12 14-16Zm-20 32c-6-1-9 6-6 12-1-4 1-8 6-12Z",
};

interface Props {
  shape: Shape;
  /** Colours of the glaze and of the bare clay at the foot. */
  glaze: string;
  clay: string;
  id: string;
}

/** A drawing of a piece of pottery: glaze above, clay below, light from the left. */
export function Pot({ shape, glaze, clay, id }: Props) {
  return (
    <svg viewBox="0 0 120 120" aria-hidden="true" class="pot">
      <defs>
        <clipPath id={`${id}-outline`}>
          <path d={OUTLINES[shape]} clip-rule="evenodd" />
        </clipPath>
        <linearGradient id={`${id}-light`} x1="0" x2="1" y1="0" y2="0">
          <stop offset="0" stop-color="#fff" stop-opacity=".34" />
          <stop offset=".45" stop-color="#fff" stop-opacity="0" />
          <stop offset="1" stop-color="#000" stop-opacity=".26" />
        </linearGradient>
      </defs>
      <ellipse cx="60" cy="105" rx="42" ry="5" fill="#000" opacity=".16" />
      <g clip-path={`url(#${id}-outline)`}>
        <rect width="120" height="120" fill={clay} />
        <path d="M0 0h120v84c-14 8-22-2-38 3s-26 6-40 1-28 4-42-2Z" fill={glaze} />
        <rect width="120" height="120" fill={`url(#${id}-light)`} />
      </g>
    </svg>
  );
}
