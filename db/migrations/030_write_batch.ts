import { type Kysely, sql } from "kysely";

/**
 * The writer's batch as one call, which is all that the common batch needs: it locks the
 * conversations, sees that they are still as the writer knows them, and stores everything, or
 * nothing. Rows come as arrays of composite values (db/composites.ts). The plans must fit a database
 * that grows under them, so they go through the indexes; what triggers read without one must not be
 * compiled for its cost.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, columns] of Object.entries(TYPES)) {
    await sql.raw(`create type ${name} as (${columns})`).execute(db);
  }
  await sql.raw(WRITE_BATCH).execute(db);
}

const TYPES = {
  // `version` is the xmin of the row that the batch was made from.
  batch_conversation: `id uuid, version xid, assignee_active boolean, dirty boolean,
    status text, assignee_id uuid, last_seq bigint, inbound_count integer, outbound_count integer,
    agent_delivered_seq bigint, agent_read_seq bigint, contact_delivered_seq bigint,
    contact_read_seq bigint, last_message_seq bigint, last_message_preview text,
    last_message_role text, last_message_sender_id text, last_message_sender_name text,
    last_message_private boolean, last_message_at timestamptz, last_activity_at timestamptz,
    waiting_since timestamptz, updated_at timestamptz, resolved_at timestamptz`,
  batch_message: `id uuid, conversation_id uuid, seq bigint, session_id text,
    client_message_id text, sender_id text, sender_role text, sender_name text, type text,
    content text, is_private boolean, platform text, inbound_count integer, outbound_count integer,
    created_at timestamptz`,
  batch_event: `conversation_id uuid, seq bigint, type text, message_id uuid, is_private boolean,
    payload jsonb, created_at timestamptz`,
  batch_pointer: `conversation_id uuid, user_id uuid, role text, delivered_seq bigint,
    read_seq bigint, read_inbound integer, read_outbound integer`,
  batch_receipt: `conversation_id uuid, role text, event text, nth integer, at_seq bigint,
    seq bigint, user_id uuid, created_at timestamptz`,
  batch_move: `nth integer, conversation_id uuid, from_visitor boolean, after bigint, up_to bigint`,
};

/** How far back the message is looked for that a receipt is about, in events of the log. */
const LOOK_BACK = 1000;

const WRITE_BATCH = `create function write_batch(
    touched batch_conversation[], created batch_message[], logged batch_event[],
    pointers batch_pointer[], receipts batch_receipt[], moves batch_move[], at_most integer
  ) returns json
  language plpgsql
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  as $$
  declare
    found uuid[]; stored_pointers json; stored_receipts json; statuses json;
  begin
    found := array(
      select c.id from unnest(touched) x join conversations c on c.id = x.id
        left join users u on u.id = c.assignee_id
      where c.xmin = x.version and (u.disabled_at is null) = x.assignee_active
      order by c.id for update of c skip locked);
    if cardinality(found) < cardinality(touched) then
      return json_build_object('stale',
        array_to_json(array(select x.id from unnest(touched) x where x.id <> all (found))));
    end if;
    found := array(
      select m.conversation_id from unnest(created) x join chat_messages m
        on m.conversation_id = x.conversation_id and m.sender_id = x.sender_id
          and m.client_message_id = x.client_message_id
      where x.client_message_id is not null);
    if cardinality(found) > 0 then
      return json_build_object('known', array_to_json(found));
    end if;

    update conversations c set
      status = x.status, assignee_id = x.assignee_id, last_seq = x.last_seq,
      inbound_count = x.inbound_count, outbound_count = x.outbound_count,
      agent_delivered_seq = x.agent_delivered_seq, agent_read_seq = x.agent_read_seq,
      contact_delivered_seq = x.contact_delivered_seq, contact_read_seq = x.contact_read_seq,
      last_message_seq = x.last_message_seq, last_message_preview = x.last_message_preview,
      last_message_role = x.last_message_role,
      last_message_sender_id = x.last_message_sender_id,
      last_message_sender_name = x.last_message_sender_name,
      last_message_private = x.last_message_private,
      last_message_at = x.last_message_at, last_activity_at = x.last_activity_at,
      waiting_since = x.waiting_since, updated_at = x.updated_at, resolved_at = x.resolved_at
    from unnest(touched) x where c.id = x.id and x.dirty;

    if cardinality(created) > 0 then
      insert into chat_messages (id, conversation_id, seq, session_id, client_message_id, sender_id,
        sender_role, sender_name, type, content, is_private, platform, inbound_count,
        outbound_count, created_at)
      select x.* from unnest(created) x;
    end if;

    if cardinality(logged) > 0 then
      insert into conversation_events
        (conversation_id, seq, type, message_id, is_private, payload, created_at)
      select x.* from unnest(logged) x;
    end if;

    if cardinality(pointers) > 0 then
      with stored as (
        insert into participants as p
          (conversation_id, user_id, role, delivered_seq, read_seq, read_inbound, read_outbound)
        select x.conversation_id, x.user_id, x.role, x.delivered_seq, x.read_seq,
          coalesce(x.read_inbound, at_read.inbound_count, 0),
          coalesce(x.read_outbound, at_read.outbound_count, 0)
        from unnest(pointers) x
        left join lateral (
          select m.inbound_count, m.outbound_count from chat_messages m
          where x.read_inbound is null and m.conversation_id = x.conversation_id
            and m.seq <= x.read_seq
          order by m.seq desc limit 1
        ) at_read on true
        on conflict (conversation_id, user_id) do update set
          delivered_seq = greatest(p.delivered_seq, excluded.delivered_seq),
          read_seq = greatest(p.read_seq, excluded.read_seq),
          read_inbound = greatest(p.read_inbound, excluded.read_inbound),
          read_outbound = greatest(p.read_outbound, excluded.read_outbound),
          updated_at = now()
        returning p.conversation_id, p.user_id, p.role, p.delivered_seq, p.read_seq,
          p.read_inbound, p.read_outbound
      ) select json_agg(stored) into stored_pointers from stored;
    end if;

    if cardinality(receipts) > 0 then
      with stored as (
        insert into conversation_receipts as r
          (conversation_id, role, event, number, at_seq, seq, user_id, created_at)
        select x.conversation_id, x.role, x.event,
          x.nth + coalesce((select max(known.number) from conversation_receipts known
            where known.conversation_id = x.conversation_id), 0),
          x.at_seq, x.seq, x.user_id, x.created_at
        from unnest(receipts) x
        on conflict (conversation_id, role, event) do update set number = excluded.number,
          at_seq = excluded.at_seq, seq = excluded.seq, user_id = excluded.user_id,
          created_at = excluded.created_at
        returning r.conversation_id, r.role, r.event, r.number, (
          select m.id from chat_messages m
          where m.conversation_id = r.conversation_id and m.seq <= r.seq
            and m.seq > r.seq - ${LOOK_BACK} and m.type = 'text' and not m.is_private
            and (m.sender_role = 'visitor') = (r.role = 'agent')
          order by m.seq desc limit 1
        ) as message_id
      ) select json_agg(stored) into stored_receipts from stored;
    end if;

    if cardinality(moves) > 0 then
      statuses := (
        select json_agg(json_build_array(x.nth, m.id, m.seq) order by x.nth, m.seq)
        from unnest(moves) x cross join lateral (
          select id, seq from chat_messages
          where conversation_id = x.conversation_id and seq > x.after and seq <= x.up_to
            and type = 'text' and not is_private and (sender_role = 'visitor') = x.from_visitor
          order by seq desc limit at_most
        ) m);
    end if;

    return json_build_object(
      'xid', pg_current_xact_id_if_assigned()::text,
      'pointers', stored_pointers, 'receipts', stored_receipts, 'statuses', statuses,
      'names', (
        select json_agg(json_build_array(c.id, k.name, k.email, k.created_at, k.last_seen_at,
          u.name, u.disabled_at))
        from unnest(touched) x join conversations c on c.id = x.id
          join contacts k on k.id = c.contact_id left join users u on u.id = c.assignee_id),
      'labels', (
        select json_agg(l)
        from labels_of(array(select id from unnest(touched))) l));
  end $$`;
