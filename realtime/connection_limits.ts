/** What bounds one connection; each is a setting. */
export interface ConnectionLimits {
  messageBytes: number;
  preAuthBytes: number;
  preAuthMessages: number;
  queueBytes: number;
  pendingFrames: number;
  messagesPerMinute: number;
  typingPerMinute: number;
  editsPerMinute: number;
  cursorsPerMinute: number;
  subscriptions: number;
  /** Bytes of a file; 0: no files are taken. */
  fileBytes: number;
}
