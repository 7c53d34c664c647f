/** The service of files, with its store. */
import { createScan } from "../domain/files/scan.ts";
import { createFiles } from "../domain/files/service.ts";
import type { FileService } from "../domain/files/types.ts";
import type { BrokerKind } from "../process/open_broker.ts";
import { openFileStore } from "../process/open_file_store.ts";
import type { Access } from "./access.ts";
import type { Core } from "./core.ts";

export function createServerFiles(
  { settings, database, bus, onError }: Core,
  { secret }: Pick<Access, "secret">,
  broker: BrokerKind,
): FileService {
  const { files, timeouts } = settings;
  return createFiles({
    db: database.db,
    bus,
    store: openFileStore(settings, broker),
    scan: createScan({
      command: files.scanCommand,
      url: files.scanUrl,
      timeoutMs: files.scanMs,
    }),
    limits: {
      maxBytes: files.maxBytes,
      silenceMs: timeouts.bodyMs,
      totalMs: files.uploadMs,
      types: files.types,
      maxPixels: files.maxPixels,
      perMinute: files.perMinute,
      bytesPerHour: files.bytesPerHour,
      open: files.open,
    },
    keepUnsentMs: files.keepUnsentMs,
    addressLifeMs: files.addressMs,
    secret,
    onError,
  });
}
