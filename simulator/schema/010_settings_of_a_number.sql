alter table number_extras add column settings text not null default '{}';
