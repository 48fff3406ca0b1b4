CREATE TABLE "warnings" (
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"over_at" timestamp with time zone,
	"told" text[] DEFAULT '{}'::text[] NOT NULL,
	CONSTRAINT "warnings_kind_subject_pk" PRIMARY KEY("kind","subject")
);
