/** Settings that are right only together with others. */
import { SettingsError } from "./error.ts";
import type { SettingName, Settings } from "./groups.ts";

/** @throws {SettingsError} with one line that names the settings. */
export function checkTogether(
  { signIn, broker, files, visitors, given, onDeploy }: Settings,
): void {
  if ((signIn.adminEmail === undefined) !== (signIn.adminPassword === undefined)) {
    const missing = signIn.adminEmail === undefined ? "ADMIN_EMAIL" : "ADMIN_PASSWORD";
    throw new SettingsError(
      `Cannot start: setting ${missing} is not set: ADMIN_EMAIL and ADMIN_PASSWORD go together`,
    );
  }
  if (broker.kind === "redis" && broker.redisUrl === undefined) {
    throw new SettingsError('Cannot start: setting REDIS_URL is not set: BROKER is "redis"');
  }
  if (visitors.jwksUrl !== undefined && visitors.publicKey !== undefined) {
    throw new SettingsError(
      "Cannot start: settings JWT_JWKS_URL and JWT_PUBLIC_KEY are both set: one of them is enough",
    );
  }
  if (files.scanCommand !== undefined && files.scanUrl !== undefined) {
    throw new SettingsError(
      "Cannot start: settings FILE_SCAN_COMMAND and FILE_SCAN_URL are both set: one of them is enough",
    );
  }
  checkBucket(files);
  if (onDeploy) refuseFiles(given);
}

/** A bucket needs a key, and a store in a bucket needs one. */
function checkBucket(files: Settings["files"]): void {
  const { kind, s3Bucket, s3AccessKeyId, s3SecretAccessKey } = files;
  if (s3Bucket === undefined && kind !== "s3") return;
  const missing = Object.entries({
    S3_BUCKET: s3Bucket,
    S3_ACCESS_KEY_ID: s3AccessKeyId,
    S3_SECRET_ACCESS_KEY: s3SecretAccessKey,
  }).find(([, value]) => value === undefined)?.[0];
  if (missing === undefined) return;
  throw new SettingsError(
    `Cannot start: setting ${missing} is not set: ` +
      "S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together",
  );
}

/** What would be kept in DATA_DIR, where files do not outlive an instance. */
function refuseFiles(given: ReadonlySet<SettingName>): void {
  if (!given.has("DATABASE_URL")) {
    throw new SettingsError(
      "Cannot start on Deno Deploy: setting DATABASE_URL is not set: files do not outlive an " +
        "instance, so conversations need a Postgres database (assign one to the app)",
    );
  }
  if (!given.has("JWT_SECRET")) {
    throw new SettingsError(
      "Cannot start on Deno Deploy: setting JWT_SECRET is not set: files do not outlive an " +
        "instance, so the key of sign-ins has to be a secret of the app, of at least 32 characters",
    );
  }
}
