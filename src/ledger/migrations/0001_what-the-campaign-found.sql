CREATE TABLE "staging_folders" (
	"path" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "taken_before" uuid;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "told_by" text;--> statement-breakpoint
ALTER TABLE "stock_exports" ADD COLUMN "position" serial NOT NULL;--> statement-breakpoint
ALTER TABLE "stock_exports" ADD COLUMN "stale_orders" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "unnumbered_orders" ADD COLUMN "told_by" text;--> statement-breakpoint
-- The reports of the first version have told of these.
UPDATE "orders" SET "told_by" = "seen_cycle" WHERE "route" <> 'send';--> statement-breakpoint
UPDATE "unnumbered_orders" SET "told_by" = "seen_cycle";--> statement-breakpoint
UPDATE "stock_exports" SET "position" = "numbered"."place"
FROM (SELECT "id", row_number() OVER (ORDER BY "collected_at") AS "place" FROM "stock_exports") AS "numbered"
WHERE "stock_exports"."id" = "numbered"."id";
