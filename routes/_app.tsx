import { app } from "./$_app.ts";
import { takeDocumentTheme } from "../components/document/theme.ts";

export default app(({ children }) => (
  <html lang="en" data-theme={takeDocumentTheme()}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
      <title>Parley</title>
      <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    </head>
    <body>{children}</body>
  </html>
));
