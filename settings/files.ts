/** Files that people send: where they are stored, which are taken, and how many. */
import { z } from "zod";
import { int, names, setting, text, url } from "./define.ts";

/** Types that are taken by default: none that a computer runs, and no pictures whose place stays in. */
const TYPES = [
  "image/jpeg",
  "image/png",
  "image/gif",
  "image/webp",
  "image/avif",
  "image/heic",
  "image/bmp",
  "image/svg+xml",
  "audio/*",
  "video/*",
  "text/*",
  "application/pdf",
  "application/rtf",
  "application/json",
  "application/xml",
  "application/zip",
  "application/gzip",
  "application/x-7z-compressed",
  "application/vnd.rar",
  "application/msword",
  "application/vnd.ms-*",
  "application/vnd.openxmlformats-officedocument.*",
  "application/vnd.oasis.opendocument.*",
];

export const files = {
  kind: setting(
    "FILE_STORE",
    z.enum(["auto", "disk", "s3", "none"], 'must be "auto", "disk", "s3" or "none"'),
    "auto",
    "Where files are stored: disk (DATA_DIR/files), s3 or none (no files are taken); auto: s3 with S3_BUCKET, disk on one machine, otherwise none",
  ),
  s3Bucket: setting(
    "S3_BUCKET",
    text(1, "must be the name of a bucket"),
    undefined,
    "Bucket of Amazon S3, or of a store with the same API, in which files are stored",
  ),
  s3Endpoint: setting(
    "S3_ENDPOINT",
    url(["https:", "http:"]),
    undefined,
    "URL of that store; unset: Amazon S3 in S3_REGION",
  ),
  s3Region: setting(
    "S3_REGION",
    text(1, "must be a region"),
    "us-east-1",
    "Region of the bucket; many other stores want auto or us-east-1",
  ),
  s3AccessKeyId: setting(
    "S3_ACCESS_KEY_ID",
    text(1, "must be the id of a key"),
    undefined,
    "Id of the key with which the bucket is read and written",
  ),
  s3SecretAccessKey: setting(
    "S3_SECRET_ACCESS_KEY",
    text(1, "must be a secret"),
    undefined,
    "The key itself",
    { secret: true },
  ),
  maxBytes: setting(
    "MAX_FILE_BYTES",
    int(1024, 5_000_000_000),
    "26214400",
    "Largest file (25 MiB)",
  ),
  types: setting(
    "FILE_TYPES",
    names,
    TYPES.join(","),
    "Types of files that are taken, found from their first bytes; * at the end stands for any",
  ),
  maxPixels: setting(
    "MAX_IMAGE_PIXELS",
    int(1, 2_000_000_000),
    "50000000",
    "Pixels of the largest picture",
  ),
  perMinute: setting(
    "LIMIT_UPLOADS_PER_MINUTE",
    int(1, 1_000_000),
    "60",
    "Files per minute and sender",
  ),
  bytesPerHour: setting(
    "LIMIT_UPLOAD_BYTES_PER_HOUR",
    int(1024, 1_000_000_000_000),
    "524288000",
    "Bytes of files per hour and sender (500 MiB)",
  ),
  open: setting(
    "MAX_OPEN_UPLOADS",
    int(1, 10_000),
    "50",
    "Files that a node takes at a time; further ones get 503",
  ),
  uploadMs: setting(
    "UPLOAD_TIMEOUT_MS",
    int(1000, 86_400_000),
    "600000",
    "Time in which a file has to arrive (10 minutes); BODY_TIMEOUT_MS is the longest pause",
  ),
  keepUnsentMs: setting(
    "UNSENT_FILE_MS",
    int(1000, 2_592_000_000),
    "86400000",
    "Time after which a file that no message has is deleted (a day)",
  ),
  addressMs: setting(
    "FILE_ADDRESS_MS",
    int(10_000, 604_800_000),
    "3600000",
    "Time for which the address of a file works (an hour)",
  ),
  scanCommand: setting(
    "FILE_SCAN_COMMAND",
    text(1, "must be a command"),
    undefined,
    "Program with arguments that reads each file from standard input and ends with 0 to let it pass, with 1 to refuse it, such as clamdscan --no-summary -",
  ),
  scanUrl: setting(
    "FILE_SCAN_URL",
    url(["https:", "http:"]),
    undefined,
    "The same as a service: gets each file as the body of a POST, and responds with 2xx to let it pass, with 403, 406 or 422 to refuse it",
    { secret: true },
  ),
  scanMs: setting(
    "FILE_SCAN_TIMEOUT_MS",
    int(100, 600_000),
    "60000",
    "Time for a scan; a file that cannot be scanned is not taken",
  ),
};
