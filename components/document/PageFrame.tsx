import type { ComponentChildren } from "preact";
import { Head } from "fresh/runtime";
import inter from "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url";
import "../styles/index.css";
import { useDocumentTheme } from "./theme.ts";

export interface PageFrameProps {
  request: Request;
  title: string;
  children: ComponentChildren;
}

/** What every page of the dashboard has: a title, the styles, and the theme of the request. */
export function PageFrame({ request, title, children }: PageFrameProps) {
  useDocumentTheme(request);
  return (
    <>
      <Head>
        <title>{title}</title>
        <meta name="robots" content="noindex" />
        <link rel="preload" href={inter} as="font" type="font/woff2" crossOrigin="anonymous" />
      </Head>
      {children}
    </>
  );
}
