alter table templates add column source text not null default 'MANUAL';
alter table templates add column pauses integer not null default 0;
alter table templates add column paused_at real;
alter table templates add column pause text;
alter table templates add column quality_at real;
alter table templates add column archived_at real;
alter table templates add column used_at real;

-- Every edit of an approved template, for its limits of one a day and ten in 30 days.
create table template_edits (template_id text not null, at real not null);
create index template_edits_by_template on template_edits (template_id, at);

-- Every template that was created, for the limit of a hundred an hour; kept when the template goes.
create table template_creations (waba_id text not null, at real not null);
create index template_creations_by_waba on template_creations (waba_id, at);

-- What Meta will do to a template: review it, end a pause, change its category, release held messages.
create table template_steps (id integer primary key, template_id text not null, act text not null, due_at real not null);
create index template_steps_by_time on template_steps (due_at);

-- The template a message was sent with, and that it waits for the template's first feedback.
alter table messages add column template_id text;
alter table messages add column held integer not null default 0;
-- When it is dropped if it could not be delivered until then; nothing is reported.
alter table messages add column expires_at real;
create index messages_with_template on messages (template_id, created_at) where template_id is not null;

-- Taps on a template's buttons. `kind` is quick_reply_button or url_button.
create table template_clicks (
  message_id text not null, template_id text not null, customer_id text not null, kind text not null,
  button text not null, at real not null
);
create index template_clicks_by_message on template_clicks (message_id);

create table template_groups (id text primary key, waba_id text not null, name text not null, template_ids text not null, created_at real not null);

-- `direct_send` is off, on or blocked; until `utility_restricted_until` no utility template may be made or sent.
alter table wabas add column insights integer not null default 0;
alter table wabas add column auto_archival integer not null default 1;
alter table wabas add column marketing_on_cloud_api integer not null default 1;
alter table wabas add column direct_send text not null default 'off';
alter table wabas add column direct_send_media integer not null default 1;
alter table wabas add column utility_restricted_until real;
alter table businesses add column verified integer not null default 0;

-- Resumable uploads: bytes may come in several posts, and the handle works for a while.
alter table uploads add column file_name text;
alter table uploads add column sig text;
alter table uploads add column handle_until real;
create index uploads_by_handle on uploads (handle);
