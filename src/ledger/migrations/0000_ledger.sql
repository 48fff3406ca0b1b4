CREATE TABLE "applied_stock" (
	"ean" text PRIMARY KEY NOT NULL,
	"reference" text NOT NULL,
	"size" text NOT NULL,
	"quantity" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"cycle" text NOT NULL,
	"temporary_path" text NOT NULL,
	"final_path" text NOT NULL,
	"size" bigint NOT NULL,
	"sha256" text NOT NULL,
	"state" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"published_at" timestamp with time zone,
	"taken_at" timestamp with time zone,
	"asked_at" timestamp with time zone,
	"accepted_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "models" (
	"reference" text PRIMARY KEY NOT NULL,
	"asked_at" timestamp with time zone NOT NULL,
	"confirmed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "open_calls" (
	"job" text PRIMARY KEY NOT NULL,
	"called_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "order_lines" (
	"order_id" bigint NOT NULL,
	"position" integer NOT NULL,
	"ean" text,
	"reference" text NOT NULL,
	"quantity" integer NOT NULL,
	CONSTRAINT "order_lines_order_id_position_pk" PRIMARY KEY("order_id","position")
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" bigint PRIMARY KEY NOT NULL,
	"reference" text NOT NULL,
	"route" text NOT NULL,
	"reason" text,
	"body" jsonb,
	"seen_at" timestamp with time zone NOT NULL,
	"seen_cycle" text NOT NULL,
	"seen_step" integer NOT NULL,
	"seen_file" text NOT NULL,
	"delivery_id" uuid,
	"settled_at" timestamp with time zone,
	"settled_why" text,
	"reflected_by" uuid
);
--> statement-breakpoint
CREATE TABLE "stock_exports" (
	"id" uuid PRIMARY KEY NOT NULL,
	"cycle" text NOT NULL,
	"sha256" text NOT NULL,
	"size" bigint NOT NULL,
	"modified_at" timestamp with time zone,
	"begun_after" timestamp with time zone,
	"collected_at" timestamp with time zone NOT NULL,
	"rows" integer NOT NULL,
	"units" integer NOT NULL,
	"applied_at" timestamp with time zone,
	CONSTRAINT "stock_exports_cycle_unique" UNIQUE("cycle")
);
--> statement-breakpoint
CREATE TABLE "unnumbered_orders" (
	"file_sha256" text NOT NULL,
	"line" integer NOT NULL,
	"reason" text NOT NULL,
	"lines" jsonb NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"seen_cycle" text NOT NULL,
	"seen_step" integer NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "unnumbered_orders_file_sha256_line_pk" PRIMARY KEY("file_sha256","line")
);
--> statement-breakpoint
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."deliveries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_reflected_by_stock_exports_id_fk" FOREIGN KEY ("reflected_by") REFERENCES "public"."stock_exports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "orders_delivery" ON "orders" USING btree ("delivery_id");--> statement-breakpoint
CREATE INDEX "orders_reflected" ON "orders" USING btree ("reflected_by");--> statement-breakpoint
CREATE INDEX "orders_seen" ON "orders" USING btree ("seen_cycle");