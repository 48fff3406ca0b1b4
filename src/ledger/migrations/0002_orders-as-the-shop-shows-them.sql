CREATE TABLE "incomplete_orders" (
	"id" bigint PRIMARY KEY NOT NULL,
	"reference" text NOT NULL,
	"lines" jsonb NOT NULL,
	"first_seen_at" timestamp with time zone NOT NULL,
	"seen_cycle" text NOT NULL,
	"given_up_at" timestamp with time zone,
	"told_by" text
);
--> statement-breakpoint
CREATE TABLE "shop_cursors" (
	"job" text PRIMARY KEY NOT NULL,
	"at" text NOT NULL,
	"id" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "shop_moves" (
	"id" serial PRIMARY KEY NOT NULL,
	"order_id" bigint NOT NULL,
	"ean" text NOT NULL,
	"units" integer NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "shop_rows" (
	"product_id" bigint NOT NULL,
	"combination_id" bigint NOT NULL,
	"row_id" bigint NOT NULL,
	CONSTRAINT "shop_rows_product_id_combination_id_pk" PRIMARY KEY("product_id","combination_id")
);
--> statement-breakpoint
CREATE TABLE "take_backs" (
	"order_id" bigint NOT NULL,
	"cause" text NOT NULL,
	"lines" jsonb NOT NULL,
	"stock_back" boolean NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"seen_cycle" text NOT NULL,
	"seen_step" integer NOT NULL,
	"told_by" text,
	"settled_at" timestamp with time zone,
	"settled_why" text,
	CONSTRAINT "take_backs_order_id_cause_pk" PRIMARY KEY("order_id","cause")
);
--> statement-breakpoint
ALTER TABLE "shop_moves" ADD CONSTRAINT "shop_moves_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "take_backs" ADD CONSTRAINT "take_backs_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "take_backs_seen" ON "take_backs" USING btree ("seen_cycle");