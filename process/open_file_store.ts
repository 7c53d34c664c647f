/** Where a node stores files, and opening it. */
import { createDiskStore } from "../domain/files/disk_store.ts";
import { createS3Store } from "../domain/files/s3_store.ts";
import type { FileStore } from "../domain/files/store.ts";
import { type Settings, SettingsError } from "../settings.ts";
import type { BrokerKind } from "./open_broker.ts";

export type FileStoreKind = "disk" | "s3" | "none";

/** @throws {SettingsError} when other nodes, or this one after a restart, would not find the files. */
export function fileStoreKind(settings: Settings, broker: BrokerKind): FileStoreKind {
  const { kind: chosen, s3Bucket } = settings.files;
  // Brokers within a machine connect its workers alone, and those share its disk.
  const hasOwnDisk = !settings.onDeploy && (broker === "memory" || broker === "channel");
  if (chosen === "disk" && !hasOwnDisk) {
    throw new SettingsError(
      `Cannot start: setting FILE_STORE is "disk": ${
        settings.onDeploy
          ? "files in DATA_DIR do not outlive an instance of Deno Deploy"
          : `with BROKER "${broker}" nodes may be on several machines, which do not share DATA_DIR`
      } (store files in a bucket with S3_BUCKET, or set FILE_STORE to "none")`,
    );
  }
  if (chosen !== "auto") return chosen;
  if (s3Bucket !== undefined) return "s3";
  return hasOwnDisk ? "disk" : "none";
}

/** null: no files are taken. */
export function openFileStore(settings: Settings, broker: BrokerKind): FileStore | null {
  const kind = fileStoreKind(settings, broker);
  if (kind === "none") return null;
  if (kind === "disk") {
    const { dataDir, minFreeDiskBytes: minFreeBytes } = settings.database;
    return createDiskStore({ dataDir, minFreeBytes });
  }
  const { s3Bucket, s3Endpoint, s3Region, s3AccessKeyId, s3SecretAccessKey } = settings.files;
  return createS3Store({
    endpoint: s3Endpoint ?? `https://s3.${s3Region}.amazonaws.com`,
    bucket: s3Bucket!,
    region: s3Region,
    accessKeyId: s3AccessKeyId!,
    secretAccessKey: s3SecretAccessKey!,
  });
}
