import type { Extension, Range } from "@codemirror/state";
import type { Decoration, DecorationSet, EditorView, ViewUpdate } from "@codemirror/view";
import {
  applyOperation,
  compose,
  composeAll,
  lengthOf,
  type TextEdit,
  type TextOperation,
  toIndex,
  toPosition,
  transform,
} from "../protocol/text.ts";
import type { CollaborationDocument } from "./collaboration_document.ts";
import { clean, difference } from "./collaboration_text.ts";
import type { PeerCursor } from "./collaboration_types.ts";

/** The modules of CodeMirror 6 that the editor uses. */
export interface CodeMirrorModules {
  state: typeof import("@codemirror/state");
  view: typeof import("@codemirror/view");
}

/**
 * An extension for CodeMirror 6 that shows and edits a document, with the other people's cursors
 * and names. The modules are passed in, so that this package depends on no version of CodeMirror:
 *
 * ```ts
 * import * as state from "@codemirror/state";
 * import * as view from "@codemirror/view";
 * new view.EditorView({ doc: document.text, extensions: [codeMirror({ state, view }, document)] });
 * ```
 */
export function codeMirror(
  { state, view: modules }: CodeMirrorModules,
  document: CollaborationDocument,
): Extension {
  const { Annotation, EditorState, StateEffect, Transaction } = state;
  const { Decoration, EditorView, ViewPlugin, WidgetType } = modules;
  const fromOthers = Annotation.define<boolean>();
  const redraw = StateEffect.define<null>();

  class Caret extends WidgetType {
    constructor(readonly peer: PeerCursor) {
      super();
    }
    override eq(other: Caret): boolean {
      return other.peer.clientId === this.peer.clientId &&
        other.peer.userName === this.peer.userName;
    }
    override toDOM(view: EditorView): HTMLElement {
      const caret = view.dom.ownerDocument.createElement("span");
      caret.className = "cm-peer-caret";
      caret.style.setProperty("--peer", colorOf(this.peer));
      caret.dataset.name = this.peer.userName;
      return caret;
    }
    override ignoreEvent(): boolean {
      return true;
    }
  }

  function decorate(view: EditorView): DecorationSet {
    const text = view.state.doc.toString();
    const ranges: Range<Decoration>[] = [];
    for (const peer of document.cursors) {
      const [head, anchor] = [toIndex(text, peer.position), toIndex(text, peer.selectionEnd)];
      const [from, to] = [Math.min(head, anchor), Math.max(head, anchor)];
      if (from < to) {
        const style = `--peer: ${colorOf(peer)}`;
        ranges.push(
          Decoration.mark({ class: "cm-peer-selection", attributes: { style } }).range(from, to),
        );
      }
      ranges.push(Decoration.widget({ widget: new Caret(peer), side: 1 }).range(head));
    }
    return Decoration.set(ranges, true);
  }

  /** The editor's changes as edits. Each applies to the text after the edits before it. */
  function editsOf({ changes, startState, state }: ViewUpdate): TextEdit[] {
    const edits: TextEdit[] = [];
    const before = startState.doc.toString();
    const after = state.doc.toString();
    changes.iterChanges((fromA, toA, fromB, _toB, inserted) => {
      edits.push({
        operation: "replace",
        position: toPosition(after, fromB),
        length: lengthOf(before.slice(fromA, toA)),
        content: clean(inserted.toString()),
      });
    });
    return edits;
  }

  const plugin = ViewPlugin.define((view) => {
    let isOver = false;
    let isScheduled = false;
    /** Changes by others, and by the program, that the editor does not show yet. */
    let others: TextOperation = [];
    /** The current change comes from the editor, which shows it already. */
    let isOwn = false;

    /** After the current update, because the editor takes no changes during one. */
    function later(): void {
      if (isScheduled) return;
      isScheduled = true;
      queueMicrotask(() => {
        isScheduled = false;
        if (!isOver) sync();
      });
    }

    /** Updates the editor to the document's text and cursors. */
    function sync(): void {
      const before = view.state.doc.toString();
      const fits = reaches(before, others, document.text);
      const operation = fits ? others : difference(before, document.text);
      others = [];
      view.dispatch({
        changes: changesOf(before, operation),
        effects: redraw.of(null),
        annotations: [
          fromOthers.of(true),
          Transaction.remote.of(true),
          Transaction.addToHistory.of(false),
        ],
      });
    }

    const ends = [
      document.on("change", ({ operation }) => {
        if (isOwn) return;
        others = compose(others, operation);
        later();
      }),
      document.on("cursors", later),
      document.on("status", later),
    ];
    later();
    return {
      decorations: decorate(view),
      update(update: ViewUpdate) {
        const isLocal = update.docChanged &&
          !update.transactions.some((transaction) => transaction.annotation(fromOthers));
        if (isLocal) {
          isOwn = true;
          document.write(transform(composeAll(editsOf(update)), others, "right"));
          isOwn = false;
          if (document.text !== update.state.doc.toString()) later();
        }
        if (view.hasFocus && (update.selectionSet || update.docChanged || update.focusChanged)) {
          const { head, anchor } = update.state.selection.main;
          const text = update.state.doc.toString();
          document.setCursor(toPosition(text, head), toPosition(text, anchor));
        } else if (update.focusChanged) document.setCursor(null);
        if (
          update.docChanged ||
          update.transactions.some(({ effects }) => effects.some((e) => e.is(redraw)))
        ) {
          this.decorations = decorate(update.view);
        }
      },
      destroy() {
        isOver = true;
        for (const end of ends) end();
      },
    };
  }, { decorations: (value) => value.decorations });

  return [
    plugin,
    EditorState.changeFilter.of((transaction) =>
      document.canEdit || transaction.annotation(fromOthers) === true
    ),
    EditorView.baseTheme({
      ".cm-peer-selection": {
        backgroundColor: "color-mix(in srgb, var(--peer) 25%, transparent)",
      },
      ".cm-peer-caret": {
        position: "relative",
        borderLeft: "2px solid var(--peer)",
        marginLeft: "-1px",
        marginRight: "-1px",
      },
      ".cm-peer-caret::after": {
        content: "attr(data-name)",
        position: "absolute",
        left: "-2px",
        top: "-1.5em",
        padding: "0 4px",
        borderRadius: "3px",
        background: "var(--peer)",
        color: "white",
        font: "11px/1.4 system-ui, sans-serif",
        whiteSpace: "nowrap",
        pointerEvents: "none",
      },
    }),
  ];
}

/** An operation as CodeMirror's changes: all positions are in the text before them. */
function changesOf(text: string, operation: TextOperation) {
  const changes: { from: number; to?: number; insert?: string }[] = [];
  let from = 0;
  for (const part of operation) {
    if (typeof part === "string") changes.push({ from, insert: part });
    else {
      const count = typeof part === "number" ? part : part.d as number;
      // A surrogate pair is one position.
      const to = from + toIndex(text.slice(from, from + 2 * count), count);
      if (typeof part === "object") changes.push({ from, to });
      from = to;
    }
  }
  return changes;
}

function reaches(before: string, operation: TextOperation, after: string): boolean {
  try {
    return applyOperation(before, operation) === after;
  } catch {
    return false;
  }
}

/** The same colour for a person in every window, dark enough for white letters. */
function colorOf({ userId }: PeerCursor): string {
  let hash = 0;
  for (const character of userId) hash = (hash * 31 + character.codePointAt(0)!) % 360;
  return `hsl(${hash} 65% 38%)`;
}
