import type { Shape } from "./pot.tsx";

export interface Piece {
  id: string;
  name: string;
  about: string;
  price: string;
  shape: Shape;
  glaze: string;
  clay: string;
  /** Shown beside the price where the item is not simply in stock. */
  stock?: string;
}

export const PIECES: Piece[] = [
  {
    id: "moon-jar",
    name: "Moon jar",
    about: "Thrown in two halves, joined at the belly. 24 cm.",
    price: "£148",
    shape: "jar",
    glaze: "#e9e4d8",
    clay: "#b98a63",
    stock: "Two left",
  },
  {
    id: "harbour-bowl",
    name: "Harbour bowl",
    about: "Wide enough for a salad for four. 28 cm.",
    price: "£62",
    shape: "bowl",
    glaze: "#3f6f7d",
    clay: "#c79a72",
  },
  {
    id: "morning-mug",
    name: "Morning mug",
    about: "Holds 330 ml and warms both hands.",
    price: "£28",
    shape: "mug",
    glaze: "#c8654a",
    clay: "#8b5e43",
  },
  {
    id: "reed-vase",
    name: "Reed vase",
    about: "A narrow neck for three stems, no more. 31 cm.",
    price: "£96",
    shape: "vase",
    glaze: "#5d7b5a",
    clay: "#b98a63",
  },
  {
    id: "tide-plate",
    name: "Tide plate",
    about: "Everyday stoneware, safe in the dishwasher. 26 cm.",
    price: "£34",
    shape: "plate",
    glaze: "#8fa9b5",
    clay: "#a97850",
  },
  {
    id: "fog-teapot",
    name: "Fog teapot",
    about: "Pours without a drip. We tested eleven spouts.",
    price: "£118",
    shape: "teapot",
    glaze: "#6b6577",
    clay: "#b98a63",
    stock: "Made to order, three weeks",
  },
];
