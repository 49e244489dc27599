-- Numbers on which Meta's Business Agent answers, and the threads that an app has taken from it.
create table business_agents (phone_number_id text primary key, at real not null);
create table thread_owners (
  phone_number_id text not null, customer_id text not null, at real not null, primary key (phone_number_id, customer_id)
);
