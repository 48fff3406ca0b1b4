CREATE TABLE "sightings" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"path" text NOT NULL,
	"size" bigint NOT NULL,
	"modified_at" text,
	"seen_at" timestamp with time zone NOT NULL,
	"gone_at" timestamp with time zone,
	"archived_path" text,
	"sha256" text,
	"noted_by" text,
	"fault" text,
	"unknown" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "unwatched" (
	"id" serial PRIMARY KEY NOT NULL,
	"from_time" timestamp with time zone NOT NULL,
	"to_time" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "in_doubt" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "sightings_kind" ON "sightings" USING btree ("kind","seen_at");--> statement-breakpoint
CREATE UNIQUE INDEX "sightings_standing" ON "sightings" USING btree ("path") WHERE gone_at is null;