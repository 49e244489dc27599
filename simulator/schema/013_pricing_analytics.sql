-- By how much Meta's volumes of a day differ from what was sent here, as another reading of the same messages would.
create table analytics_differences (
  phone_number_id text not null, day integer not null, country text not null, category text not null,
  type text not null, volume integer not null,
  primary key (phone_number_id, day, country, category, type)
);
