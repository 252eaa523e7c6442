-- Generated from the migrations; see README.md. Not to be edited.

CREATE TABLE public.announcements (
    serial bigint NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.cdn_targets (
    name text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    last_error text,
    last_acknowledged_at timestamp with time zone
);

CREATE TABLE public.changelog (
    serial bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    project_id bigint,
    name text,
    version text,
    kind text NOT NULL,
    action text NOT NULL,
    added jsonb DEFAULT '{}'::jsonb NOT NULL,
    removed jsonb DEFAULT '{}'::jsonb NOT NULL,
    page_serial bigint,
    html_sha256 bytea,
    html_size bigint,
    json_sha256 bytea,
    json_size bigint,
    renderer smallint,
    content_sha256 bytea NOT NULL,
    files_sha256 bytea NOT NULL,
    files_count integer NOT NULL,
    listed boolean NOT NULL,
    state_id bigint,
    CONSTRAINT changelog_page_whole CHECK ((((page_serial IS NULL) = (html_sha256 IS NULL)) AND ((page_serial IS NULL) = (json_sha256 IS NULL))))
);

CREATE TABLE public.condemned_blobs (
    blake2b_256 bytea NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    condemned_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.edge_checks (
    one boolean DEFAULT true NOT NULL,
    tokens double precision DEFAULT 0 NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT edge_checks_one CHECK (one)
);

CREATE TABLE public.file_names (
    filename text NOT NULL COLLATE pg_catalog."C",
    sha256 bytea NOT NULL,
    first_used timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.files (
    id bigint NOT NULL,
    release_id bigint NOT NULL,
    project_id bigint NOT NULL,
    filename text NOT NULL COLLATE pg_catalog."C",
    packagetype text NOT NULL,
    python_tag text NOT NULL,
    size bigint NOT NULL,
    md5 bytea NOT NULL,
    sha256 bytea NOT NULL,
    blake2b_256 bytea NOT NULL,
    requires_python text,
    metadata_sha256 bytea,
    upload_time timestamp with time zone NOT NULL,
    provenance_url text,
    CONSTRAINT file_packagetype_known CHECK ((packagetype = ANY (ARRAY['sdist'::text, 'bdist_wheel'::text]))),
    CONSTRAINT file_size_positive CHECK ((size > 0))
);

ALTER TABLE public.files ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.files_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.index_identity (
    one boolean DEFAULT true NOT NULL,
    index_id uuid DEFAULT gen_random_uuid() NOT NULL,
    files_url text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT index_identity_one CHECK (one)
);

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    first_serial bigint NOT NULL,
    last_serial bigint NOT NULL,
    keys text[] NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    purged_at timestamp with time zone,
    verified_at timestamp with time zone,
    CONSTRAINT outbox_range CHECK ((first_serial <= last_serial))
);

ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pages (
    sha256 bytea NOT NULL,
    state_id bigint NOT NULL,
    form text NOT NULL,
    serial bigint NOT NULL,
    CONSTRAINT page_form_known CHECK ((form = ANY (ARRAY['html'::text, 'json'::text])))
);

CREATE TABLE public.probes (
    name text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    wait interval NOT NULL,
    last_error text,
    last_seen_at timestamp with time zone
);

CREATE TABLE public.projects (
    id bigint NOT NULL,
    normalized_name text NOT NULL COLLATE pg_catalog."C",
    display_name text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    status_reason text,
    last_serial bigint DEFAULT 0 NOT NULL,
    state_id bigint,
    html_sha256 bytea,
    json_sha256 bytea,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    glance text,
    CONSTRAINT project_page_whole CHECK ((((state_id IS NULL) = (html_sha256 IS NULL)) AND ((state_id IS NULL) = (json_sha256 IS NULL)))),
    CONSTRAINT project_status_known CHECK ((status = ANY (ARRAY['active'::text, 'archived'::text, 'quarantined'::text, 'deprecated'::text])))
);

ALTER TABLE public.projects ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.projects_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.provenances (
    filename text NOT NULL COLLATE pg_catalog."C",
    document text NOT NULL
);

CREATE TABLE public.purges (
    outbox_id bigint NOT NULL,
    target text NOT NULL COLLATE pg_catalog."C",
    pass smallint DEFAULT 1 NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    leased_by uuid,
    leased_until timestamp with time zone,
    last_error text,
    acknowledged_at timestamp with time zone,
    CONSTRAINT purge_pass_known CHECK ((pass = ANY (ARRAY[1, 2])))
);

CREATE TABLE public.releases (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    version text NOT NULL COLLATE pg_catalog."C",
    canonical_version text NOT NULL COLLATE pg_catalog."C",
    metadata jsonb NOT NULL,
    yanked boolean DEFAULT false NOT NULL,
    yanked_reason text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT release_yank_reason CHECK ((yanked OR (yanked_reason IS NULL)))
);

ALTER TABLE public.releases ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.releases_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.serials (
    one boolean DEFAULT true NOT NULL,
    value bigint DEFAULT 0 NOT NULL,
    CONSTRAINT serials_one CHECK (one)
);

CREATE TABLE public.states (
    id bigint NOT NULL,
    html bytea NOT NULL,
    json bytea NOT NULL,
    content bytea NOT NULL,
    renderer smallint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    replaced_at timestamp with time zone
);

ALTER TABLE public.states ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.states_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tokens (
    id bigint NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone
);

ALTER TABLE public.tokens ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.upload_budgets (
    token_id bigint NOT NULL,
    full_at timestamp with time zone NOT NULL
);

CREATE TABLE public.verifications (
    outbox_id bigint NOT NULL,
    probe text NOT NULL COLLATE pg_catalog."C",
    due_at timestamp with time zone NOT NULL,
    stale integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    leased_by uuid,
    leased_until timestamp with time zone,
    last_error text,
    seen_at timestamp with time zone
);

CREATE TABLE public.watermarks (
    one boolean DEFAULT true NOT NULL,
    purged bigint DEFAULT 0 NOT NULL,
    verified bigint DEFAULT 0 NOT NULL,
    announced bigint DEFAULT 0 NOT NULL,
    CONSTRAINT watermarks_one CHECK (one)
);

ALTER TABLE ONLY public.announcements
    ADD CONSTRAINT announcements_pkey PRIMARY KEY (serial);

ALTER TABLE ONLY public.cdn_targets
    ADD CONSTRAINT cdn_targets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.changelog
    ADD CONSTRAINT changelog_pkey PRIMARY KEY (serial);

ALTER TABLE ONLY public.condemned_blobs
    ADD CONSTRAINT condemned_blobs_pkey PRIMARY KEY (blake2b_256, name);

ALTER TABLE ONLY public.edge_checks
    ADD CONSTRAINT edge_checks_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT file_digest_key UNIQUE (blake2b_256);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT file_filename_key UNIQUE (filename);

ALTER TABLE ONLY public.file_names
    ADD CONSTRAINT file_name_key PRIMARY KEY (filename);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.index_identity
    ADD CONSTRAINT index_identity_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pages
    ADD CONSTRAINT pages_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY public.probes
    ADD CONSTRAINT probes_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT project_glance_key UNIQUE (glance);

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT project_name_key UNIQUE (normalized_name);

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.provenances
    ADD CONSTRAINT provenances_pkey PRIMARY KEY (filename);

ALTER TABLE ONLY public.purges
    ADD CONSTRAINT purges_pkey PRIMARY KEY (outbox_id, target);

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT release_version_key UNIQUE (project_id, canonical_version);

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT releases_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.serials
    ADD CONSTRAINT serials_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.states
    ADD CONSTRAINT states_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT token_name_key UNIQUE (name);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT token_sha256_key UNIQUE (sha256);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.upload_budgets
    ADD CONSTRAINT upload_budgets_pkey PRIMARY KEY (token_id);

ALTER TABLE ONLY public.verifications
    ADD CONSTRAINT verifications_pkey PRIMARY KEY (outbox_id, probe);

ALTER TABLE ONLY public.watermarks
    ADD CONSTRAINT watermarks_pkey PRIMARY KEY (one);

CREATE INDEX announcements_by_time ON public.announcements USING btree (at, serial);

CREATE INDEX changelog_by_project ON public.changelog USING btree (project_id, serial DESC);

CREATE INDEX changelog_new_projects ON public.changelog USING btree (serial DESC) WHERE (kind = 'create'::text);

CREATE INDEX changelog_new_releases ON public.changelog USING btree (serial DESC) WHERE (kind = 'new-release'::text);

CREATE INDEX files_by_project ON public.files USING btree (project_id);

CREATE INDEX files_by_release ON public.files USING btree (release_id);

CREATE INDEX outbox_unpurged ON public.outbox USING btree (first_serial) WHERE (purged_at IS NULL);

CREATE INDEX outbox_unverified ON public.outbox USING btree (first_serial) WHERE (verified_at IS NULL);

CREATE INDEX pages_by_state ON public.pages USING btree (state_id);

CREATE INDEX projects_by_state ON public.projects USING btree (state_id);

CREATE INDEX purges_due ON public.purges USING btree (target, due_at) WHERE (acknowledged_at IS NULL);

CREATE INDEX states_replaced ON public.states USING btree (replaced_at) WHERE (replaced_at IS NOT NULL);

CREATE INDEX verifications_due ON public.verifications USING btree (probe, due_at) WHERE (seen_at IS NULL);

ALTER TABLE ONLY public.changelog
    ADD CONSTRAINT changelog_project_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT file_project_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.files
    ADD CONSTRAINT file_release_fkey FOREIGN KEY (release_id) REFERENCES public.releases(id);

ALTER TABLE ONLY public.pages
    ADD CONSTRAINT page_state_fkey FOREIGN KEY (state_id) REFERENCES public.states(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT project_state_fkey FOREIGN KEY (state_id) REFERENCES public.states(id);

ALTER TABLE ONLY public.provenances
    ADD CONSTRAINT provenance_file_fkey FOREIGN KEY (filename) REFERENCES public.files(filename) ON DELETE CASCADE;

ALTER TABLE ONLY public.purges
    ADD CONSTRAINT purge_outbox_fkey FOREIGN KEY (outbox_id) REFERENCES public.outbox(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.purges
    ADD CONSTRAINT purge_target_fkey FOREIGN KEY (target) REFERENCES public.cdn_targets(name) ON DELETE CASCADE;

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT release_project_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.upload_budgets
    ADD CONSTRAINT upload_budget_token_fkey FOREIGN KEY (token_id) REFERENCES public.tokens(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.verifications
    ADD CONSTRAINT verification_outbox_fkey FOREIGN KEY (outbox_id) REFERENCES public.outbox(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.verifications
    ADD CONSTRAINT verification_probe_fkey FOREIGN KEY (probe) REFERENCES public.probes(name) ON DELETE CASCADE;
