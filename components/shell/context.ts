import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { WorkspaceModel } from "../live/workspace_model.ts";

const WorkspaceContext = createContext<WorkspaceModel | null>(null);
export const WorkspaceProvider = WorkspaceContext.Provider;

/** The model of the page around this component. Throws outside of one. */
export function useWorkspace(): WorkspaceModel {
  const workspace = useContext(WorkspaceContext);
  if (workspace === null) {
    throw new Error("Cannot draw a part of the page: there is no workspace around it");
  }
  return workspace;
}
