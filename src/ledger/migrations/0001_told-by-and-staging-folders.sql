CREATE TABLE "staging_folders" (
	"path" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "told_by" text;--> statement-breakpoint
ALTER TABLE "stock_exports" ADD COLUMN "position" serial NOT NULL;--> statement-breakpoint
ALTER TABLE "unnumbered_orders" ADD COLUMN "told_by" text;