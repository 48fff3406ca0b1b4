ALTER TABLE "unnumbered_orders" ADD COLUMN "settled_why" text;--> statement-breakpoint
ALTER TABLE "unnumbered_orders" ADD COLUMN "reflected_by" uuid;--> statement-breakpoint
ALTER TABLE "unnumbered_orders" ADD CONSTRAINT "unnumbered_orders_reflected_by_stock_exports_id_fk" FOREIGN KEY ("reflected_by") REFERENCES "public"."stock_exports"("id") ON DELETE no action ON UPDATE no action;