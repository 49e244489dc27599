-- The Flow JSON of a flow as it was uploaded, what is wrong with it, and the address of its data endpoint.
alter table flows add column categories text not null default '["OTHER"]';
alter table flows add column flow_json text not null default '';
alter table flows add column validation_errors text not null default '[]';
alter table flows add column endpoint_uri text;
alter table flows add column preview_key text not null default '';
create index flows_by_waba on flows (waba_id, created_at);

-- The public key with which phones encrypt for the data endpoint of a number.
alter table number_extras add column business_public_key text;
