import type { ComponentChildren } from "preact";
import { Logo } from "../ui/Logo.tsx";

/** The frame of a page for visitors who are not signed in. */
export function BarePage({ children }: { children: ComponentChildren }) {
  return (
    <div class="bare-page">
      <a class="skip-link" href="#main">Skip to the content</a>
      <header>
        <Logo size={24} />
        <a href="/login?next=%2Fwebsocket-test">Sign in</a>
      </header>
      <main class="page" id="main" tabIndex={-1}>{children}</main>
    </div>
  );
}
