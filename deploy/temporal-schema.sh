#!/bin/sh
# Makes Temporal's two databases, or brings the schemas of those that are there up to this version's. Changes nothing when
# they are. Takes POSTGRES_SEEDS (host), DB_PORT, POSTGRES_USER, PASSWORD_FILE and SCHEMA (the folder with both schemas).
set -eu

SQL_PASSWORD=$(cat "$PASSWORD_FILE")
export SQL_PASSWORD

# bring_up DATABASE SCHEMA
bring_up() {
  sql() {
    temporal-sql-tool --plugin postgres12 --endpoint "$POSTGRES_SEEDS" --port "$DB_PORT" --user "$POSTGRES_USER" "$@"
  }
  sql --database "$1" create
  # Of a database that has a schema already, this changes nothing.
  sql --database "$1" setup-schema --version 0.0
  sql --database "$1" update-schema --schema-dir "$SCHEMA/$2/versioned"
}

bring_up temporal temporal
bring_up temporal_visibility visibility
