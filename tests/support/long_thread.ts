/** Fills a conversation with thousands of messages, as if they had been written over months. */
import pg from "pg";
import type { TestServer } from "./server.ts";

const INSERT = `
  with place as (
    select n, to_timestamp(extract(epoch from now()) - ($3::int - n) * 600) as at,
      n % 3 <> 0 as inbound from generate_series(1, $3::int) n
  ), added as (
    insert into chat_messages (id, conversation_id, seq, client_message_id, sender_id, sender_role,
      sender_name, type, content, platform, inbound_count, outbound_count, created_at)
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' ||
        lpad(to_hex(n % 4096), 3, '0') || '8' || substr(md5('m' || n), 1, 15))::uuid,
      $1::uuid, n, 'long' || n, case when inbound then $2::uuid else $4::uuid end,
      case when inbound then 'visitor' else 'agent' end,
      case when inbound then 'Visitor' else 'Ada' end, 'text',
      'Message ' || n || '.' || repeat(' and some more words of it', (n * 7) % 12), 'web',
      n - n / 3, n / 3, at
    from place returning id, conversation_id, seq, created_at
  ), logged as (
    insert into conversation_events (conversation_id, seq, type, message_id, is_private, created_at)
    select conversation_id, seq, 'message', id, false, created_at from added
  )
  update conversations set last_seq = $3, last_message_seq = $3, inbound_count = $3::int - $3::int / 3,
    outbound_count = $3::int / 3, last_activity_at = now() where id = $1::uuid`;

/** Only on a Postgres server, and before the conversation has anything else. */
export async function fillConversation(
  server: TestServer,
  { id, contactId, agentId }: { id: string; contactId: string; agentId: string },
  count: number,
): Promise<void> {
  const client = new pg.Client({ connectionString: server.env.DATABASE_URL });
  await client.connect();
  try {
    await client.query(INSERT, [id, contactId, count, agentId]);
  } finally {
    await client.end();
  }
}

/** The id of the message with a seq. */
export async function messageAt(server: TestServer, id: string, seq: number): Promise<string> {
  const client = new pg.Client({ connectionString: server.env.DATABASE_URL });
  await client.connect();
  try {
    const query = "select id from chat_messages where conversation_id = $1 and seq = $2";
    return (await client.query(query, [id, seq])).rows[0].id;
  } finally {
    await client.end();
  }
}
