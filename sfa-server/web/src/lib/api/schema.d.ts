// Made from tests/http/openapi.json by `npm run api`; not to be edited.

export interface paths {
    "/api/v1/admin/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the jobs of everybody */
        get: operations["get_admin_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a job of anybody's */
        post: operations["post_admin_jobs_id_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a failed or cancelled job of anybody's back into the queue */
        post: operations["post_admin_jobs_id_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show how much there is of everything */
        get: operations["get_admin_overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the audit log */
        get: operations["get_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/email/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Confirm a new address by a link */
        post: operations["post_email_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/engines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the engines that could work now */
        get: operations["get_engines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/files/{hash}/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a link to a file that works without signing in */
        post: operations["post_files_hash_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/files/{hash}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a file
         * @description One range at a time, as in `Range: bytes=0-99`. The name only says how to show the file.
         */
        get: operations["get_files_hash_name"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/impersonation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Be oneself again */
        delete: operations["delete_impersonation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List jobs */
        get: operations["get_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a job */
        get: operations["get_jobs_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a job
         * @description One that runs stops soon after; one that is finished is a conflict.
         */
        post: operations["post_jobs_id_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a failed or cancelled job back into the queue */
        post: operations["post_jobs_id_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show how a job went
         * @description What is still known of it, in order of time. Progress is about songs only, in steps, and is forgotten after a week;
         *     of several attempts the last beginning is known.
         */
        get: operations["get_jobs_id_timeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow what happens, over a WebSocket
         * @description Send `{"type":"subscribe","topic":"library"}`, with `"after"` to go on after an event that is known, and
         *     `{"type":"unsubscribe","topic":…}`. What comes is `{"type":"snapshot","topic","seq","data"}`, then
         *     `{"type":"event","topic","seq","kind","payload"}` with a `seq` that rises by one each time, and
         *     `{"type":"error","topic","code","message"}`. Topics are `library` (with `tracks` and `jobs`, whole rows of what has
         *     changed), `track:ID`, `job:ID`, `notifications`, and for admins `system`; all but the first two always begin with a
         *     snapshot. `debug` is what this process logs, of the caller's requests and jobs, or of all for admins:
         *     `debug?level=warn&target=sfa_core&job=ID&request=ID` is less of it, and `missed` says how many went by unseen. Closed with 4401 when the caller may not be here any more, 4403 when it may not follow something any more,
         *     4008 when it is too slow, 1001 when the server stops.
         */
        get: operations["get_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live/sse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow what happens to one topic, as server-sent events
         * @description The first event is a `snapshot`; those that follow have a `seq` that rises by one, as their id.
         */
        get: operations["get_live_sse"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in
         * @description The answer sets a cookie. Programs use a token instead, see `/api/v1/tokens`.
         */
        post: operations["post_login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in by a link */
        post: operations["post_login_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a link that signs in
         * @description The answer is the same whether the address has an account or not. The link counts once, for 15 minutes.
         */
        post: operations["post_login_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign out */
        post: operations["post_logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change what is shown of the own account */
        patch: operations["patch_me"];
        trace?: never;
    };
    "/api/v1/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the own address
         * @description A link is sent to the new one; until it is followed nothing changes.
         */
        post: operations["post_me_email"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List who the own account is elsewhere */
        get: operations["get_me_identities"];
        put?: never;
        /**
         * Link the account with one elsewhere
         * @description The answer says where to send the browser. When it comes back, the account that was used there signs in here from
         *     then on.
         */
        post: operations["post_me_identities"];
        /** Unlink the account from the one at this server's provider */
        delete: operations["delete_me_identities"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change the own password
         * @description Ends all sessions but a new one, which the answer opens. Tokens stay. Who has none yet sets one so.
         */
        put: operations["put_me_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the models, here or not */
        get: operations["get_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/licence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show what is known of the licence of models */
        get: operations["get_models_licence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a model from the server's machine
         * @description Files in the caches of other programs stay.
         */
        delete: operations["delete_models_name"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{name}/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a file of a model that one has already
         * @description The file, safetensors or an archive of PyTorch, is the body. `GET /api/v1/models` says what came of it.
         */
        post: operations["post_models_name_import"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{name}/pull": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fetch a model from its publisher
         * @description `GET /api/v1/models` says how far it is. A fetch that was stopped goes on where it was.
         */
        post: operations["post_models_name_pull"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{name}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare a model with its published checksums
         * @description `GET /api/v1/models` says how far it is, and what was found.
         */
        post: operations["post_models_name_verify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{name}/work": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Stop the work on a model, or forget what came of it */
        delete: operations["delete_models_name_work"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List notifications */
        get: operations["get_notifications"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/notifications/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark all notifications as read */
        post: operations["post_notifications_read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/oidc/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sign in with an account elsewhere
         * @description A browser is sent to the provider, which sends it back.
         */
        get: operations["get_oidc_begin"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/oidc/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Come back from the provider
         * @description Signs in, or links the account that began this, and goes on to the studio.
         */
        get: operations["get_oidc_callback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["get_openapi_json"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the packages that were made */
        get: operations["get_packages"];
        put?: never;
        /** Pack what another program needs of some songs */
        post: operations["post_packages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say what a package would hold */
        post: operations["post_packages_plan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a package */
        delete: operations["delete_packages_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/password/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a new password by a link
         * @description Ends all sessions but a new one, which the answer opens. Tokens stay.
         */
        post: operations["post_password_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/password/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a link that sets a new password
         * @description The answer is the same whether the address has an account or not. The link counts once, for 15 minutes.
         */
        post: operations["post_password_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/playlists": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List playlists */
        get: operations["get_playlists"];
        put?: never;
        /** Make a playlist */
        post: operations["post_playlists"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/playlists/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a playlist */
        get: operations["get_playlists_id"];
        put?: never;
        post?: never;
        /**
         * Remove a playlist
         * @description Its songs stay.
         */
        delete: operations["delete_playlists_id"];
        options?: never;
        head?: never;
        /**
         * Rename a playlist, or change its rules
         * @description What is absent stays.
         */
        patch: operations["patch_playlists_id"];
        trace?: never;
    };
    "/api/v1/playlists/{id}/tracks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give a playlist these songs in this order */
        put: operations["put_playlists_id_tracks"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/queues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the queues of jobs */
        get: operations["get_queues"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reauthenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove again who one is
         * @description What opens an account or changes those of others asks for a proof of the last minutes, and is else refused with the
         *     code `reauthentication_required`. Signing in is one. Programs with tokens need none.
         */
        post: operations["post_reauthenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reference": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All of this as a page for people */
        get: operations["get_reference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/reference/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What that page looks like, and how it searches */
        get: operations["get_reference_name"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make an account
         * @description Where the server allows it. Where it sends no mail, the answer signs in. Where it does, a link that signs in is sent to
         *     the address; neither the answer nor the time that it takes says whether that has an account already.
         */
        post: operations["post_register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/server": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What this server is */
        get: operations["get_server"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the own sessions */
        get: operations["get_sessions"];
        put?: never;
        post?: never;
        /** End all sessions but this one */
        delete: operations["delete_sessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a session */
        delete: operations["delete_sessions_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the settings */
        get: operations["get_settings"];
        /**
         * Replace the settings
         * @description What is absent gets its default; what there is no such setting for is refused.
         */
        put: operations["put_settings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make the first admin
         * @description Works once, with the token that the server prints at its start while there is no admin. The account is the one that
         *     the command line works for, so that its songs are there too. The answer signs in.
         */
        post: operations["post_setup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the own tokens */
        get: operations["get_tokens"];
        put?: never;
        /** Make a token */
        post: operations["post_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a token back */
        delete: operations["delete_tokens_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what the work on songs needs of the server's machine
         * @description Nothing is started: a program counts as there when it is found where programs are.
         */
        get: operations["get_tools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List songs */
        get: operations["get_tracks"];
        put?: never;
        /**
         * Upload a song
         * @description Either the file is the body and `name` its name, or it is the one file of a form. What it is, its bytes say. The
         *     work that the settings ask for begins by itself. `/api/v1/uploads` takes a file in several requests.
         */
        post: operations["post_tracks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import a song from an address of the web
         * @description The server fetches the file, from the public internet alone. What the job is about when it is done is the song: the
         *     one that was there already, where it is the same. The work that the settings ask for begins by itself.
         */
        post: operations["post_tracks_import"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/missing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List songs of which files are gone
         * @description Gone from the storage without the library being told, such as by a disk that was changed: those that were not there when
         *     they were asked for, or when the library was last tidied up or checked, which is each night at the latest.
         */
        get: operations["get_tracks_missing"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/process": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make something of several songs anew
         * @description All of them or none.
         */
        post: operations["post_tracks_process"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/remove": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove several songs with everything that was made of them
         * @description All of them or none.
         */
        post: operations["post_tracks_remove"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a song */
        get: operations["get_tracks_id"];
        put?: never;
        post?: never;
        /** Remove a song with everything that was made of it */
        delete: operations["delete_tracks_id"];
        options?: never;
        head?: never;
        /**
         * Rename a song
         * @description What is absent stays.
         */
        patch: operations["patch_tracks_id"];
        trace?: never;
    };
    "/api/v1/tracks/{id}/analysis": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All that was measured of a song
         * @description The document that `sfa process` writes as `analysis.json`, described by `docs/schema`. 404 until the song was analysed.
         */
        get: operations["get_tracks_id_analysis"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/{id}/cues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the cues and loops of a song */
        get: operations["get_tracks_id_cues"];
        put?: never;
        /**
         * Place a cue or a loop
         * @description It is there until it is removed, whatever is analysed anew. Packages hold it at once, the song's own files for other
         *     programs when they are made anew.
         */
        post: operations["post_tracks_id_cues"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/{id}/cues/{cue}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Make a cue or a loop what it is to be
         * @description One that the analysis placed is its owner's from then on.
         */
        put: operations["put_tracks_id_cues_cue"];
        post?: never;
        /**
         * Remove a cue or a loop
         * @description One that the analysis placed comes again when cues are made anew.
         */
        delete: operations["delete_tracks_id_cues_cue"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/{id}/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the files made of a song for other programs */
        get: operations["get_tracks_id_exports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/{id}/process": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make something of a song anew
         * @description What is made replaces what was there when it is finished, not before.
         */
        post: operations["post_tracks_id_process"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tracks/{id}/stems": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the stems of a song */
        get: operations["get_tracks_id_stems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin an upload that can be resumed
         * @description `Location` says where the pieces go. An upload for which nothing comes is forgotten at `Upload-Expires`.
         */
        post: operations["post_uploads"];
        delete?: never;
        /**
         * What can be done here
         * @description Says in `Tus-Version`, `Tus-Extension` and `Tus-Max-Size` what a client of tus wants to know.
         */
        options: operations["options_uploads"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Give an upload up */
        delete: operations["delete_uploads_id"];
        options?: never;
        /**
         * Ask how much of an upload has come
         * @description `Upload-Offset` says where to go on. When all has come, `Content-Location` is the song.
         */
        head: operations["head_uploads_id"];
        /**
         * Send a piece of an upload
         * @description From `Upload-Offset` on. What has come before a connection breaks is kept. With the last piece the file becomes a song,
         *     which `Content-Location` names.
         */
        patch: operations["patch_uploads_id"];
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List accounts */
        get: operations["get_users"];
        put?: never;
        /** Make an account */
        post: operations["post_users"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show an account */
        get: operations["get_users_id"];
        put?: never;
        post?: never;
        /**
         * Remove an account with all its songs
         * @description Only of somebody below oneself.
         */
        delete: operations["delete_users_id"];
        options?: never;
        head?: never;
        /**
         * Change an account
         * @description Only of somebody below oneself. What is absent stays.
         */
        patch: operations["patch_users_id"];
        trace?: never;
    };
    "/api/v1/users/{id}/impersonate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Act as another user
         * @description From now on this session sees and changes the songs of that user, and nothing that opens their account. It is told by
         *     `impersonated_by` of `/api/v1/me`, written into the audit log together with every change, and ends with the session or
         *     with `DELETE /api/v1/impersonation`.
         */
        post: operations["post_users_id_impersonate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Suspend, ban, or let in again
         * @description Only somebody below oneself.
         */
        put: operations["put_users_id_status"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vault": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the names of the own secrets */
        get: operations["get_vault"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/vault/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Keep a secret
         * @description Instead of one of this name. It is kept encrypted and cannot be read back.
         */
        put: operations["put_vault_name"];
        post?: never;
        /** Remove a secret */
        delete: operations["delete_vault_name"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{hash}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a link to a file
         * @description The query is part of the link and was signed with it.
         */
        get: operations["get_files_hash"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives */
        get: operations["get_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether requests can be answered: database and files are there, and the server is not about to stop */
        get: operations["get_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Work that was asked for. */
        Accepted: {
            /** Format: uuid */
            job: string;
        };
        /** @description Work on several songs that was asked for. */
        AcceptedBatch: {
            /** Format: uuid */
            batch: string;
        };
        /** @description What lists need of an analysis. */
        AnalysisView: {
            /**
             * Format: double
             * @description Absent where there is no pulse.
             */
            bpm?: number | null;
            /** @example 8A */
            camelot?: string | null;
            /**
             * Format: int64
             * @description 1 to 10.
             */
            energy?: number | null;
            /** @example A minor */
            key?: string | null;
            /**
             * Format: double
             * @description Integrated loudness.
             */
            lufs?: number | null;
        };
        /** @description A job of anybody's. */
        AnyJobView: {
            /** @description What its handler is told. */
            args: Record<string, never>;
            job: components["schemas"]["JobView"];
            /** @description The lane it waits in. */
            queue: string;
            /**
             * Format: uuid
             * @description Whose it is.
             */
            user: string;
        };
        /** @description A line of the log. Lines are added, never changed or removed. */
        AuditView: {
            /** @example user.suspend */
            action: string;
            /**
             * Format: uuid
             * @description Who did it.
             */
            actor: string;
            /** @description From which network address. */
            address?: string | null;
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            at_ms: number;
            /** @description What was before and is after. */
            changes: Record<string, never>;
            /**
             * Format: int64
             * @description Lines are numbered in their order.
             */
            seq: number;
            target: string;
            /** @example user */
            target_kind: string;
        };
        ChangePassword: {
            /** @description The password until now, where there is one. */
            current?: string | null;
            /**
             * Format: password
             * @description At least 12 characters and at most 256 bytes.
             */
            new: string;
        };
        /** @description A place or a stretch of a song to jump to. */
        CueView: {
            /** @example #ff7b92 */
            colour?: string | null;
            /**
             * Format: double
             * @description How sure the analysis was, 0 to 1.
             */
            confidence?: number | null;
            /**
             * Format: int64
             * @description Where a loop ends.
             */
            end_ms?: number | null;
            /** Format: uuid */
            id: string;
            /** @description Whether the analysis placed it; a new analysis replaces it then. */
            is_automatic: boolean;
            /** @example drop */
            kind: string;
            label: string;
            /**
             * Format: int32
             * @description The hot cue that it is, 0 (A) to 7 (H); no two of a song are the same.
             */
            pad?: number | null;
            /** Format: int64 */
            start_ms: number;
        };
        /** @description One thing. */
        Data_Accepted: {
            /** @description Work that was asked for. */
            data: {
                /** Format: uuid */
                job: string;
            };
        };
        /** @description One thing. */
        Data_AcceptedBatch: {
            /** @description Work on several songs that was asked for. */
            data: {
                /** Format: uuid */
                batch: string;
            };
        };
        /** @description One thing. */
        Data_AnyJobView: {
            /** @description A job of anybody's. */
            data: {
                /** @description What its handler is told. */
                args: Record<string, never>;
                job: components["schemas"]["JobView"];
                /** @description The lane it waits in. */
                queue: string;
                /**
                 * Format: uuid
                 * @description Whose it is.
                 */
                user: string;
            };
        };
        /** @description One thing. */
        Data_CueView: {
            /** @description A place or a stretch of a song to jump to. */
            data: {
                /** @example #ff7b92 */
                colour?: string | null;
                /**
                 * Format: double
                 * @description How sure the analysis was, 0 to 1.
                 */
                confidence?: number | null;
                /**
                 * Format: int64
                 * @description Where a loop ends.
                 */
                end_ms?: number | null;
                /** Format: uuid */
                id: string;
                /** @description Whether the analysis placed it; a new analysis replaces it then. */
                is_automatic: boolean;
                /** @example drop */
                kind: string;
                label: string;
                /**
                 * Format: int32
                 * @description The hot cue that it is, 0 (A) to 7 (H); no two of a song are the same.
                 */
                pad?: number | null;
                /** Format: int64 */
                start_ms: number;
            };
        };
        /** @description One thing. */
        Data_Elsewhere: {
            /** @description Where to send the browser. */
            data: {
                url: string;
            };
        };
        /** @description One thing. */
        Data_Health: {
            data: {
                /** @example ok */
                status: string;
                /** Format: int64 */
                uptime_secs: number;
                version: string;
            };
        };
        /** @description One thing. */
        Data_JobView: {
            /** @description A job. */
            data: {
                /** Format: int64 */
                attempt: number;
                /** Format: uuid */
                batch?: string | null;
                /** @description Whether it was asked to stop. */
                cancel_requested: boolean;
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                created_at_ms: number;
                /** @description What went wrong last. */
                error?: string | null;
                /** Format: int64 */
                finished_at_ms?: number | null;
                /** Format: uuid */
                id: string;
                /** @example separate */
                kind: string;
                /** Format: int64 */
                max_attempts: number;
                /**
                 * Format: int64
                 * @description When it is tried next, in milliseconds since 1970, where it waits for its time.
                 */
                next_attempt_at_ms?: number | null;
                /**
                 * Format: int64
                 * @description 0 to 100; never falls within one attempt.
                 */
                progress: number;
                /** @description What it is doing, in a word. */
                stage: string;
                /**
                 * @description available, scheduled, retryable, executing, completed, cancelled or discarded.
                 * @example executing
                 */
                state: string;
                /** Format: uuid */
                track?: string | null;
            };
        };
        /** @description One thing. */
        Data_LicenceView: {
            /** @description What is known of the licence of models. */
            data: {
                /** @description Whether somebody has accepted it on this machine. */
                is_accepted: boolean;
                text: string;
            };
        };
        /** @description One thing. */
        Data_LinkView: {
            /** @description A link that works without signing in. */
            data: {
                /** @description On this server. */
                url: string;
            };
        };
        /** @description One thing. */
        Data_MadeToken: {
            /** @description A token that was just made. */
            data: components["schemas"]["TokenView"] & {
                /** @description For the header "Authorization: Bearer …". It is not kept here and cannot be shown again. */
                secret: string;
            };
        };
        /** @description One thing. */
        Data_MeView: {
            /** @description The caller's own account. */
            data: components["schemas"]["UserView"] & {
                impersonated_by?: components["schemas"]["Impersonator"] | null;
                /**
                 * Format: int64
                 * @description Until when what is dangerous can be done without proving again who one is, in milliseconds since 1970.
                 */
                proof_ends_at_ms?: number | null;
                /**
                 * Format: int64
                 * @description Bytes of everything that is kept; each content counts once.
                 */
                used_bytes: number;
            };
        };
        /** @description One thing. */
        Data_OverviewView: {
            /** @description How much there is of everything, and how it became so. */
            data: {
                /**
                 * Format: int64
                 * @description Songs that were analysed.
                 */
                analyzed: number;
                /** @description Each of the last 14 days in UTC, today last. */
                days: components["schemas"]["DayView"][];
                /**
                 * Format: int64
                 * @description Jobs that have failed for good and are remembered.
                 */
                failed_jobs: number;
                /**
                 * Format: int64
                 * @description Jobs that wait or run.
                 */
                open_jobs: number;
                /**
                 * Format: int64
                 * @description Songs that have stems.
                 */
                separated: number;
                /**
                 * Format: int64
                 * @description Bytes of all files, each content once.
                 */
                stored_bytes: number;
                /**
                 * Format: int64
                 * @description Songs of all users.
                 */
                tracks: number;
                /** Format: int64 */
                users: number;
                /**
                 * Format: int64
                 * @description Processes that work, on all machines.
                 */
                workers: number;
            };
        };
        /** @description One thing. */
        Data_PlanView: {
            /** @description What a package would hold. */
            data: {
                files: components["schemas"]["PlannedFileView"][];
                /** @description What is missing, and how to get it. */
                notes: string[];
            };
        };
        /** @description One thing. */
        Data_ServerView: {
            /** @description What somebody has to know who is not signed in yet. */
            data: {
                /** @description Whether there is no admin yet. */
                needs_set_up: boolean;
                /** @description Whether anybody may make an account. */
                open_registration: boolean;
                /** @description Whether it sends mail: links that sign in, set a password, confirm an address. */
                sends_mail: boolean;
                /** @description Who else vouches for people: the host of an OpenID provider. `/api/v1/oidc/begin` signs in there. */
                signs_in_at?: string | null;
                version: string;
            };
        };
        /** @description One thing. */
        Data_TrackView: {
            /** @description A song. */
            data: {
                album?: string | null;
                analysis?: components["schemas"]["AnalysisView"] | null;
                artist?: string | null;
                /**
                 * Format: int64
                 * @description When it was uploaded, in milliseconds since 1970.
                 */
                created_at_ms: number;
                /**
                 * Format: int64
                 * @description Absent until the song was decoded.
                 */
                duration_ms?: number | null;
                /** @description The song itself, as it was uploaded. */
                file: components["schemas"]["FileView"];
                /** Format: uuid */
                id: string;
                /**
                 * @description "working" while jobs wait or run, "failed" when one failed for good, else "ready".
                 * @example ready
                 */
                status: string;
                title: string;
            };
        };
        /** @description One thing. */
        Data_Uploaded: {
            /** @description A song that was taken in. */
            data: {
                /** @description Whether it was not there before: the same file is the same song. */
                is_new: boolean;
                /**
                 * Format: uuid
                 * @description The first piece of work on it.
                 */
                job?: string | null;
                track: components["schemas"]["TrackView"];
            };
        };
        /** @description One thing. */
        Data_UserView: {
            /** @description An account. */
            data: {
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                created_at_ms: number;
                email?: string | null;
                /** Format: uuid */
                id: string;
                name: string;
                /**
                 * Format: int64
                 * @description The most bytes that may be kept; no limit where absent.
                 */
                quota_bytes?: number | null;
                /** @example pro */
                role: string;
                /** @example active */
                status: string;
            };
        };
        /** @description One thing. */
        Data_WholePlaylist: {
            /** @description A playlist and its songs in order. */
            data: {
                /** Format: uuid */
                id: string;
                name: string;
                rules?: string | null;
                track_ids: string[];
            };
        };
        /** @description What happened on one day. */
        DayView: {
            /**
             * Format: int64
             * @description Jobs that were done; after a week they are forgotten.
             */
            completed_jobs: number;
            /**
             * Format: int64
             * @description Jobs that failed for good.
             */
            failed_jobs: number;
            /**
             * Format: int64
             * @description When it began, in milliseconds since 1970.
             */
            start_ms: number;
            /**
             * Format: int64
             * @description Songs that came.
             */
            tracks: number;
            /**
             * Format: int64
             * @description Accounts that were made.
             */
            users: number;
        };
        EditMe: {
            /** @description What to show. */
            name: string;
        };
        EditPlaylist: {
            name?: string | null;
            /** @description Songs that were put in by hand are in it no more. */
            rules?: string | null;
        };
        EditTrack: {
            album?: string | null;
            artist?: string | null;
            title?: string | null;
        };
        EditUser: {
            /** Format: email */
            email?: string | null;
            name?: string | null;
            /**
             * Format: password
             * @description A new password, for somebody who has forgotten theirs. Ends all their sessions.
             */
            password?: string | null;
            /**
             * Format: int64
             * @description The most bytes that may be kept; `null` for no limit.
             */
            quota_bytes?: number | null;
            role?: string | null;
        };
        /** @description Where to send the browser. */
        Elsewhere: {
            url: string;
        };
        /** @description An engine, or one of its models. */
        EngineView: {
            /** @description One honest line about what to expect. */
            description: string;
            /** @example demucs */
            name: string;
            /**
             * @example [
             *       "drums",
             *       "bass",
             *       "other",
             *       "vocals"
             *     ]
             */
            stems: string[];
        };
        /** @description A file made for another program. */
        ExportView: {
            file: components["schemas"]["FileView"];
            /** @example rekordbox.xml */
            name: string;
        };
        /** @description The body of every answer that is not a success. */
        Failure: {
            error: components["schemas"]["FailureDetails"];
        };
        /** @description What went wrong. */
        FailureDetails: {
            /**
             * @description For programs; does not change.
             * @example not_found
             */
            code: string;
            /** @description For people. */
            message: string;
            /** @description Names the request in the server's log. */
            request_id: string;
        };
        /** @description A file. It never changes: other content has another address. */
        FileView: {
            /** @description BLAKE3 of all bytes, in hexadecimal. */
            hash: string;
            name: string;
            /** Format: int64 */
            size_bytes: number;
            /** @description Where to get it, on this server. */
            url: string;
        };
        FollowedLink: {
            /** @description What stands behind the "#" of the link. */
            token: string;
        };
        Health: {
            /** @example ok */
            status: string;
            /** Format: int64 */
            uptime_secs: number;
            version: string;
        };
        /** @description Who somebody is elsewhere. */
        IdentityView: {
            /** @description The address of the provider. */
            issuer: string;
            /** @description What it calls the user. */
            subject: string;
        };
        /** @description Somebody who acts as another user. */
        Impersonator: {
            /**
             * Format: int64
             * @description When it ends at the latest, in milliseconds since 1970.
             */
            ends_at_ms: number;
            /** Format: uuid */
            id: string;
            name: string;
        };
        Import: {
            /**
             * @description The address of the audio file itself.
             * @example https://example.org/song.flac
             */
            url: string;
        };
        /** @description A job. */
        JobView: {
            /** Format: int64 */
            attempt: number;
            /** Format: uuid */
            batch?: string | null;
            /** @description Whether it was asked to stop. */
            cancel_requested: boolean;
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            created_at_ms: number;
            /** @description What went wrong last. */
            error?: string | null;
            /** Format: int64 */
            finished_at_ms?: number | null;
            /** Format: uuid */
            id: string;
            /** @example separate */
            kind: string;
            /** Format: int64 */
            max_attempts: number;
            /**
             * Format: int64
             * @description When it is tried next, in milliseconds since 1970, where it waits for its time.
             */
            next_attempt_at_ms?: number | null;
            /**
             * Format: int64
             * @description 0 to 100; never falls within one attempt.
             */
            progress: number;
            /** @description What it is doing, in a word. */
            stage: string;
            /**
             * @description available, scheduled, retryable, executing, completed, cancelled or discarded.
             * @example executing
             */
            state: string;
            /** Format: uuid */
            track?: string | null;
        };
        /** @description What is known of the licence of models. */
        LicenceView: {
            /** @description Whether somebody has accepted it on this machine. */
            is_accepted: boolean;
            text: string;
        };
        /** @description A link that works without signing in. */
        LinkView: {
            /** @description On this server. */
            url: string;
        };
        LogIn: {
            email: string;
            password: string;
        };
        /** @description A token that was just made. */
        MadeToken: components["schemas"]["TokenView"] & {
            /** @description For the header "Authorization: Bearer …". It is not kept here and cannot be shown again. */
            secret: string;
        };
        MailTo: {
            /**
             * Format: email
             * @example ann@example.org
             */
            email: string;
        };
        MakeLink: {
            /** @description The name that a browser saves the file under; without one it shows it where it can. */
            file_name?: string;
            /**
             * Format: int64
             * @description How long it works, up to a week.
             */
            lifetime_secs: number;
        };
        MakeToken: {
            /**
             * Format: int32
             * @description Days until it ends; never where absent.
             */
            days?: number | null;
            /** @description What it is for. */
            label: string;
            /**
             * @description What it may do: "read" songs, "write" them, and "admin" for what its owner may do as an admin.
             * @example [
             *       "read",
             *       "write"
             *     ]
             */
            scopes: string[];
        };
        MakeUser: {
            /**
             * Format: email
             * @example ben@example.org
             */
            email: string;
            name: string;
            /**
             * Format: password
             * @description At least 12 characters and at most 256 bytes.
             */
            password: string;
            /** @description user, pro, enterprise, moderator, admin, platform_admin or super_admin. Default: pro. */
            role?: string | null;
        };
        /** @description The caller's own account. */
        MeView: components["schemas"]["UserView"] & {
            impersonated_by?: components["schemas"]["Impersonator"] | null;
            /**
             * Format: int64
             * @description Until when what is dangerous can be done without proving again who one is, in milliseconds since 1970.
             */
            proof_ends_at_ms?: number | null;
            /**
             * Format: int64
             * @description Bytes of everything that is kept; each content counts once.
             */
            used_bytes: number;
        };
        /** @description A song some of whose files are gone. */
        MissingView: {
            /** @description Whether the song itself is gone. Uploading the same file brings it back. */
            is_song_gone: boolean;
            /**
             * Format: int64
             * @description How many stems and exports are gone. Processing the song makes them anew.
             */
            results_gone: number;
            /** Format: uuid */
            track: string;
        };
        /** @description A model of an engine. */
        ModelView: {
            /** @description One honest line about what to expect. */
            description: string;
            /**
             * Format: int64
             * @description Bytes to download for it, where that is known.
             */
            download_bytes?: number | null;
            /** @description Whether all of it is on the server's machine. */
            is_ready: boolean;
            /** @example htdemucs */
            name: string;
            stems: string[];
            /**
             * Format: int64
             * @description Bytes that are on the server's machine.
             */
            stored_bytes: number;
            /**
             * @description Whether its bytes are the published ones: verified, unverified or unchecked; absent where there are none.
             * @example verified
             */
            trust?: string | null;
            work?: components["schemas"]["ModelWork"] | null;
        };
        /** @description Work on a model. */
        ModelWork: {
            /** @description pull, verify or import. */
            action: string;
            /** @description Whether it has failed. */
            is_failed: boolean;
            /** @description What came of it, once it has ended. */
            outcome?: string | null;
            /**
             * Format: int64
             * @description 0 to 100 while it runs.
             */
            percent?: number | null;
        };
        /** @description Something that happened to a job. */
        MomentView: {
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            at_ms: number;
            /**
             * @description queued, started, progressed, failed, put_off, completed, cancelled or discarded.
             * @example started
             */
            kind: string;
            /**
             * Format: int64
             * @description How far it was, 0 to 100, where that is known.
             */
            progress?: number | null;
            /** @description What went wrong, or what it was doing. */
            text?: string | null;
        };
        NewAccount: {
            /**
             * Format: email
             * @description What is signed in with.
             * @example ann@example.org
             */
            email: string;
            /** @description What to show. */
            name: string;
            /**
             * Format: password
             * @description At least 12 characters and at most 256 bytes. Needed where the server sends no mail; else it is not kept, and one is
             *     chosen when the address has proved to be one's own.
             */
            password?: string | null;
        };
        NewPassword: {
            /**
             * Format: password
             * @description At least 12 characters and at most 256 bytes.
             */
            new: string;
            /** @description What stands behind the "#" of the link. */
            token: string;
        };
        NewPlaylist: {
            /** @description The user has no other of this name. */
            name: string;
            /** @description Makes it a playlist of all songs that this search finds. Searches are the studio's: the server keeps them. */
            rules?: string | null;
        };
        /** @description Something that has happened. */
        NotificationView: {
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            created_at_ms: number;
            /** Format: uuid */
            id: string;
            is_read: boolean;
            /** @example track.completed */
            kind: string;
            /** @description A sentence. */
            text: string;
            /**
             * Format: uuid
             * @description The song it is about.
             */
            track?: string | null;
        };
        /** @description A package to be made. */
        OrderPackage: {
            /**
             * @description The full path of the folder that it will be unpacked in; rekordbox and Traktor need it.
             * @example /Users/ann/Music/SFA
             */
            folder?: string | null;
            /** @description What the archive is called. */
            name?: string | null;
            stems?: components["schemas"]["StemOptions"];
            /**
             * @description Who it is for.
             * @example rekordbox
             */
            target: string;
            /** @description The songs in their order, up to 200. */
            track_ids: string[];
        };
        /** @description How much there is of everything, and how it became so. */
        OverviewView: {
            /**
             * Format: int64
             * @description Songs that were analysed.
             */
            analyzed: number;
            /** @description Each of the last 14 days in UTC, today last. */
            days: components["schemas"]["DayView"][];
            /**
             * Format: int64
             * @description Jobs that have failed for good and are remembered.
             */
            failed_jobs: number;
            /**
             * Format: int64
             * @description Jobs that wait or run.
             */
            open_jobs: number;
            /**
             * Format: int64
             * @description Songs that have stems.
             */
            separated: number;
            /**
             * Format: int64
             * @description Bytes of all files, each content once.
             */
            stored_bytes: number;
            /**
             * Format: int64
             * @description Songs of all users.
             */
            tracks: number;
            /** Format: int64 */
            users: number;
            /**
             * Format: int64
             * @description Processes that work, on all machines.
             */
            workers: number;
        };
        /** @description A package that was made. */
        PackageView: {
            /**
             * Format: int64
             * @description When it was made, in milliseconds since 1970; it is kept for a week.
             */
            created_at_ms: number;
            file: components["schemas"]["FileView"];
            /**
             * Format: uuid
             * @description The job that made it has the same.
             */
            id: string;
            /** @example rekordbox */
            target: string;
            /**
             * Format: int64
             * @description How many songs were asked for.
             */
            tracks: number;
        };
        /** @description Some of a list. */
        Page_AnyJobView: {
            data: {
                /** @description What its handler is told. */
                args: Record<string, never>;
                job: components["schemas"]["JobView"];
                /** @description The lane it waits in. */
                queue: string;
                /**
                 * Format: uuid
                 * @description Whose it is.
                 */
                user: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_AuditView: {
            data: {
                /** @example user.suspend */
                action: string;
                /**
                 * Format: uuid
                 * @description Who did it.
                 */
                actor: string;
                /** @description From which network address. */
                address?: string | null;
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                at_ms: number;
                /** @description What was before and is after. */
                changes: Record<string, never>;
                /**
                 * Format: int64
                 * @description Lines are numbered in their order.
                 */
                seq: number;
                target: string;
                /** @example user */
                target_kind: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_CueView: {
            data: {
                /** @example #ff7b92 */
                colour?: string | null;
                /**
                 * Format: double
                 * @description How sure the analysis was, 0 to 1.
                 */
                confidence?: number | null;
                /**
                 * Format: int64
                 * @description Where a loop ends.
                 */
                end_ms?: number | null;
                /** Format: uuid */
                id: string;
                /** @description Whether the analysis placed it; a new analysis replaces it then. */
                is_automatic: boolean;
                /** @example drop */
                kind: string;
                label: string;
                /**
                 * Format: int32
                 * @description The hot cue that it is, 0 (A) to 7 (H); no two of a song are the same.
                 */
                pad?: number | null;
                /** Format: int64 */
                start_ms: number;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_EngineView: {
            data: {
                /** @description One honest line about what to expect. */
                description: string;
                /** @example demucs */
                name: string;
                /**
                 * @example [
                 *       "drums",
                 *       "bass",
                 *       "other",
                 *       "vocals"
                 *     ]
                 */
                stems: string[];
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_ExportView: {
            data: {
                file: components["schemas"]["FileView"];
                /** @example rekordbox.xml */
                name: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_IdentityView: {
            data: {
                /** @description The address of the provider. */
                issuer: string;
                /** @description What it calls the user. */
                subject: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_JobView: {
            data: {
                /** Format: int64 */
                attempt: number;
                /** Format: uuid */
                batch?: string | null;
                /** @description Whether it was asked to stop. */
                cancel_requested: boolean;
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                created_at_ms: number;
                /** @description What went wrong last. */
                error?: string | null;
                /** Format: int64 */
                finished_at_ms?: number | null;
                /** Format: uuid */
                id: string;
                /** @example separate */
                kind: string;
                /** Format: int64 */
                max_attempts: number;
                /**
                 * Format: int64
                 * @description When it is tried next, in milliseconds since 1970, where it waits for its time.
                 */
                next_attempt_at_ms?: number | null;
                /**
                 * Format: int64
                 * @description 0 to 100; never falls within one attempt.
                 */
                progress: number;
                /** @description What it is doing, in a word. */
                stage: string;
                /**
                 * @description available, scheduled, retryable, executing, completed, cancelled or discarded.
                 * @example executing
                 */
                state: string;
                /** Format: uuid */
                track?: string | null;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_MissingView: {
            data: {
                /** @description Whether the song itself is gone. Uploading the same file brings it back. */
                is_song_gone: boolean;
                /**
                 * Format: int64
                 * @description How many stems and exports are gone. Processing the song makes them anew.
                 */
                results_gone: number;
                /** Format: uuid */
                track: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_ModelView: {
            data: {
                /** @description One honest line about what to expect. */
                description: string;
                /**
                 * Format: int64
                 * @description Bytes to download for it, where that is known.
                 */
                download_bytes?: number | null;
                /** @description Whether all of it is on the server's machine. */
                is_ready: boolean;
                /** @example htdemucs */
                name: string;
                stems: string[];
                /**
                 * Format: int64
                 * @description Bytes that are on the server's machine.
                 */
                stored_bytes: number;
                /**
                 * @description Whether its bytes are the published ones: verified, unverified or unchecked; absent where there are none.
                 * @example verified
                 */
                trust?: string | null;
                work?: components["schemas"]["ModelWork"] | null;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_MomentView: {
            data: {
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                at_ms: number;
                /**
                 * @description queued, started, progressed, failed, put_off, completed, cancelled or discarded.
                 * @example started
                 */
                kind: string;
                /**
                 * Format: int64
                 * @description How far it was, 0 to 100, where that is known.
                 */
                progress?: number | null;
                /** @description What went wrong, or what it was doing. */
                text?: string | null;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_NotificationView: {
            data: {
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                created_at_ms: number;
                /** Format: uuid */
                id: string;
                is_read: boolean;
                /** @example track.completed */
                kind: string;
                /** @description A sentence. */
                text: string;
                /**
                 * Format: uuid
                 * @description The song it is about.
                 */
                track?: string | null;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_PackageView: {
            data: {
                /**
                 * Format: int64
                 * @description When it was made, in milliseconds since 1970; it is kept for a week.
                 */
                created_at_ms: number;
                file: components["schemas"]["FileView"];
                /**
                 * Format: uuid
                 * @description The job that made it has the same.
                 */
                id: string;
                /** @example rekordbox */
                target: string;
                /**
                 * Format: int64
                 * @description How many songs were asked for.
                 */
                tracks: number;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_PlaylistView: {
            data: {
                /** Format: uuid */
                id: string;
                name: string;
                /**
                 * @description A search whose songs it has; absent where they were put in by hand.
                 * @example bpm:120-128 key:8A+
                 */
                rules?: string | null;
                /**
                 * Format: int64
                 * @description How many songs were put in by hand.
                 */
                tracks: number;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_QueueView: {
            data: {
                is_paused: boolean;
                /** @example separate */
                name: string;
                /** Format: int64 */
                running: number;
                /**
                 * Format: int64
                 * @description The most that run at once, on all machines together.
                 */
                running_limit?: number | null;
                /** Format: int64 */
                waiting: number;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_SecretView: {
            data: {
                /**
                 * Format: int64
                 * @description When it was last given, in milliseconds since 1970.
                 */
                changed_at_ms: number;
                name: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_SessionView: {
            data: {
                /** @description The network address that it was opened from. */
                address: string;
                /** @description The program that it was opened with, as that says. */
                agent: string;
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                created_at_ms: number;
                /** Format: int64 */
                expires_at_ms: number;
                /** Format: uuid */
                id: string;
                /** @description Whether this request came with it. */
                is_current: boolean;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_StemView: {
            data: {
                /**
                 * @description What made it.
                 * @example demucs
                 */
                engine: string;
                file: components["schemas"]["FileView"];
                /** @example vocals */
                kind: string;
                /**
                 * Format: double
                 * @description Highest sample; absent in silence.
                 */
                peak_dbfs?: number | null;
                /**
                 * Format: double
                 * @description Root mean square of all samples; absent in silence.
                 */
                rms_dbfs?: number | null;
                /** @description Which of several of one kind: empty for the plain one, "lead" or "backing" for voices. */
                take: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_TokenView: {
            data: {
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                created_at_ms: number;
                /** Format: int64 */
                expires_at_ms?: number | null;
                /** Format: uuid */
                id: string;
                label: string;
                /** @description Of "read", "write" and "admin". */
                scopes: string[];
                /**
                 * Format: int64
                 * @description To the minute.
                 */
                used_at_ms?: number | null;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_ToolView: {
            data: {
                /** @description Whether it is there. */
                is_ready: boolean;
                /** @example ffmpeg */
                name: string;
                /** @description What it is needed for. */
                purpose: string;
                /** @description What to do where it is not there. */
                remedy: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_TrackView: {
            data: {
                album?: string | null;
                analysis?: components["schemas"]["AnalysisView"] | null;
                artist?: string | null;
                /**
                 * Format: int64
                 * @description When it was uploaded, in milliseconds since 1970.
                 */
                created_at_ms: number;
                /**
                 * Format: int64
                 * @description Absent until the song was decoded.
                 */
                duration_ms?: number | null;
                /** @description The song itself, as it was uploaded. */
                file: components["schemas"]["FileView"];
                /** Format: uuid */
                id: string;
                /**
                 * @description "working" while jobs wait or run, "failed" when one failed for good, else "ready".
                 * @example ready
                 */
                status: string;
                title: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description Some of a list. */
        Page_UserView: {
            data: {
                /**
                 * Format: int64
                 * @description Milliseconds since 1970.
                 */
                created_at_ms: number;
                email?: string | null;
                /** Format: uuid */
                id: string;
                name: string;
                /**
                 * Format: int64
                 * @description The most bytes that may be kept; no limit where absent.
                 */
                quota_bytes?: number | null;
                /** @example pro */
                role: string;
                /** @example active */
                status: string;
            }[];
            /** @description Give it as `after` to get what follows; absent at the end. */
            next?: string | null;
        };
        /** @description A cue or a loop as it is to be. */
        PlaceCue: {
            /** @example #ff7b92 */
            colour?: string | null;
            /**
             * Format: int64
             * @description Where a loop ends: after it begins, within the song.
             */
            end_ms?: number | null;
            /**
             * @description What is there. Default: "own", or "loop" with an end; nothing else has an end.
             * @example own
             */
            kind?: string | null;
            label?: string;
            /**
             * Format: int32
             * @description The hot cue that it is, 0 (A) to 7 (H). An automatic cue that has the pad gives way.
             */
            pad?: number | null;
            /**
             * Format: int64
             * @description Where it is, or begins: within the song.
             */
            start_ms: number;
        };
        /** @description What a package would hold. */
        PlanView: {
            files: components["schemas"]["PlannedFileView"][];
            /** @description What is missing, and how to get it. */
            notes: string[];
        };
        PlannedFileView: {
            /**
             * @description Where it is in the archive.
             * @example Music/song.mp3
             */
            path: string;
            /**
             * Format: int64
             * @description Absent where it is known only once the file is made.
             */
            size_bytes?: number | null;
        };
        PlaylistTracks: {
            /** @description Up to 5000, each once. */
            track_ids: string[];
        };
        /** @description An order of songs. */
        PlaylistView: {
            /** Format: uuid */
            id: string;
            name: string;
            /**
             * @description A search whose songs it has; absent where they were put in by hand.
             * @example bpm:120-128 key:8A+
             */
            rules?: string | null;
            /**
             * Format: int64
             * @description How many songs were put in by hand.
             */
            tracks: number;
        };
        Process: {
            /**
             * @description The first step to be done again; those after it follow.
             * @example analyze
             */
            from: string;
        };
        /** @description Several songs, and where to begin. */
        ProcessSeveral: {
            /**
             * @description The first step to be done again; those after it follow.
             * @example analyze
             */
            from: string;
            /** @description Up to 1000. */
            track_ids: string[];
        };
        /** @description A proof of who one is: one of the two. */
        Proof: {
            /**
             * Format: password
             * @description The own password.
             */
            password?: string | null;
            /** @description What stands behind the "#" of a link that signs in, see `/api/v1/login/mail`. */
            token?: string | null;
        };
        PullModel: {
            /** @description Accepts what `GET /api/v1/models/licence` says; needed once. */
            accept_licence?: boolean;
        };
        PutSecret: {
            /**
             * Format: password
             * @description 1 to 8192 bytes.
             */
            value: string;
        };
        /** @description A queue of jobs. */
        QueueView: {
            is_paused: boolean;
            /** @example separate */
            name: string;
            /** Format: int64 */
            running: number;
            /**
             * Format: int64
             * @description The most that run at once, on all machines together.
             */
            running_limit?: number | null;
            /** Format: int64 */
            waiting: number;
        };
        /** @description A secret, by its name. */
        SecretView: {
            /**
             * Format: int64
             * @description When it was last given, in milliseconds since 1970.
             */
            changed_at_ms: number;
            name: string;
        };
        /** @description What somebody has to know who is not signed in yet. */
        ServerView: {
            /** @description Whether there is no admin yet. */
            needs_set_up: boolean;
            /** @description Whether anybody may make an account. */
            open_registration: boolean;
            /** @description Whether it sends mail: links that sign in, set a password, confirm an address. */
            sends_mail: boolean;
            /** @description Who else vouches for people: the host of an OpenID provider. `/api/v1/oidc/begin` signs in there. */
            signs_in_at?: string | null;
            version: string;
        };
        /** @description A session. */
        SessionView: {
            /** @description The network address that it was opened from. */
            address: string;
            /** @description The program that it was opened with, as that says. */
            agent: string;
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            created_at_ms: number;
            /** Format: int64 */
            expires_at_ms: number;
            /** Format: uuid */
            id: string;
            /** @description Whether this request came with it. */
            is_current: boolean;
        };
        SetStatus: {
            /** @description active, suspended or banned. Whoever is not active is out at once, on open sockets too. */
            status: string;
        };
        SetUp: {
            /**
             * Format: email
             * @description What is signed in with.
             * @example ann@example.org
             */
            email: string;
            /** @description What to show. */
            name: string;
            /**
             * Format: password
             * @description At least 12 characters and at most 256 bytes.
             */
            password: string;
            /** @description What the server printed when it started. */
            token: string;
        };
        /** @description Several songs. */
        Several: {
            /** @description Up to 1000. */
            track_ids: string[];
        };
        /** @description How stems are written; what is absent stays as it is. */
        StemOptions: {
            /** @description int16, int24 or float32. */
            bit_depth?: string | null;
            /** @description wav, flac, mp3 or m4a. */
            format?: string | null;
            /**
             * Format: double
             * @description How loud the song that the stems add up to becomes, as far as no stem goes above full scale.
             */
            loudness_lufs?: number | null;
            /**
             * Format: int32
             * @description 44100, 48000, 88200 or 96000.
             */
            sample_rate_hz?: number | null;
        };
        /** @description A stem. */
        StemView: {
            /**
             * @description What made it.
             * @example demucs
             */
            engine: string;
            file: components["schemas"]["FileView"];
            /** @example vocals */
            kind: string;
            /**
             * Format: double
             * @description Highest sample; absent in silence.
             */
            peak_dbfs?: number | null;
            /**
             * Format: double
             * @description Root mean square of all samples; absent in silence.
             */
            rms_dbfs?: number | null;
            /** @description Which of several of one kind: empty for the plain one, "lead" or "backing" for voices. */
            take: string;
        };
        /** @description A token. What it opens with is shown once, when it is made. */
        TokenView: {
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            created_at_ms: number;
            /** Format: int64 */
            expires_at_ms?: number | null;
            /** Format: uuid */
            id: string;
            label: string;
            /** @description Of "read", "write" and "admin". */
            scopes: string[];
            /**
             * Format: int64
             * @description To the minute.
             */
            used_at_ms?: number | null;
        };
        /** @description A program or a file that some work needs. */
        ToolView: {
            /** @description Whether it is there. */
            is_ready: boolean;
            /** @example ffmpeg */
            name: string;
            /** @description What it is needed for. */
            purpose: string;
            /** @description What to do where it is not there. */
            remedy: string;
        };
        /** @description A song. */
        TrackView: {
            album?: string | null;
            analysis?: components["schemas"]["AnalysisView"] | null;
            artist?: string | null;
            /**
             * Format: int64
             * @description When it was uploaded, in milliseconds since 1970.
             */
            created_at_ms: number;
            /**
             * Format: int64
             * @description Absent until the song was decoded.
             */
            duration_ms?: number | null;
            /** @description The song itself, as it was uploaded. */
            file: components["schemas"]["FileView"];
            /** Format: uuid */
            id: string;
            /**
             * @description "working" while jobs wait or run, "failed" when one failed for good, else "ready".
             * @example ready
             */
            status: string;
            title: string;
        };
        /** @description A form with one file in it. */
        UploadForm: {
            /** Format: binary */
            file: string;
        };
        /** @description A song that was taken in. */
        Uploaded: {
            /** @description Whether it was not there before: the same file is the same song. */
            is_new: boolean;
            /**
             * Format: uuid
             * @description The first piece of work on it.
             */
            job?: string | null;
            track: components["schemas"]["TrackView"];
        };
        /** @description An account. */
        UserView: {
            /**
             * Format: int64
             * @description Milliseconds since 1970.
             */
            created_at_ms: number;
            email?: string | null;
            /** Format: uuid */
            id: string;
            name: string;
            /**
             * Format: int64
             * @description The most bytes that may be kept; no limit where absent.
             */
            quota_bytes?: number | null;
            /** @example pro */
            role: string;
            /** @example active */
            status: string;
        };
        /** @description A playlist and its songs in order. */
        WholePlaylist: {
            /** Format: uuid */
            id: string;
            name: string;
            rules?: string | null;
            track_ids: string[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_admin_jobs: {
        parameters: {
            query?: {
                /** @description Only in this state. */
                state?: string;
                /** @description Only of this song. */
                track?: string;
                /** @description At most so many. Default: 100. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AnyJobView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_admin_jobs_id_cancel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked to stop */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_AnyJobView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_admin_jobs_id_retry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It waits again */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_AnyJobView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_admin_overview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Now, and the last 14 days */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_OverviewView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_audit: {
        parameters: {
            query?: {
                /** @description Only of this actor. */
                actor?: string;
                /** @description Only what was done to this. */
                target?: string;
                /** @description Lines of a page. Default: 100. */
                limit?: number;
                /** @description `next` of the page before. */
                after?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AuditView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_email_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FollowedLink"];
            };
        };
        responses: {
            /** @description It is the address of the account now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_engines: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The best first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_EngineView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_files_hash_link: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hash: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeLink"];
            };
        };
        responses: {
            /** @description The link */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_LinkView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_files_hash_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hash: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description A part of it */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description It is what the client has already */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_impersonation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session is its owner's */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_jobs: {
        parameters: {
            query?: {
                /** @description Only in this state. */
                state?: string;
                /** @description Only of this song. */
                track?: string;
                /** @description At most so many. Default: 100. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_JobView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_jobs_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_JobView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_jobs_id_cancel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked to stop */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_JobView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_jobs_id_retry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It waits again */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_JobView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_jobs_id_timeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_MomentView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A WebSocket from here on */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_live_sse: {
        parameters: {
            query: {
                /**
                 * @description "library", "notifications", "system", "debug", "track:" and the id of a song, or "job:" and the id of a job.
                 * @example library
                 */
                topic: string;
                /** @description The number of the last event that is known; the header Last-Event-ID says the same. */
                after?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogIn"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_login_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FollowedLink"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_login_mail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailTo"];
            };
        };
        responses: {
            /** @description If there is such an account, a link is on its way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller's account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_MeView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    patch_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditMe"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_me_email: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailTo"];
            };
        };
        responses: {
            /** @description A link is on its way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_me_identities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_IdentityView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_me_identities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where to go */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Elsewhere"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_me_identities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Unlinked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    put_me_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All that are known */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ModelView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_models_licence: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To be accepted before the first one is fetched */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_LicenceView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_models_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_models_name_import: {
        parameters: {
            query: {
                /**
                 * @description The name of the file: it tells which part of a model it is, where its checksum does not.
                 * @example 955717e8.safetensors
                 */
                name: string;
                /** @description Takes a file whose checksum was not published, if it is a model of this kind. Default: no. */
                unverified?: boolean;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            /** @description It has come, and is looked at */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_models_name_pull: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PullModel"];
            };
        };
        responses: {
            /** @description It has begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_models_name_verify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has begun */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_models_name_work: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It stops soon */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_notifications: {
        parameters: {
            query?: {
                /** @description At most so many. Default: 20. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_NotificationView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_notifications_read: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Marked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_oidc_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the provider */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_oidc_callback: {
        parameters: {
            query?: {
                /** @description Stands for a token. */
                code?: string;
                /** @description What the sign-in was begun with. */
                state?: string;
                /** @description Why there is no code. */
                error?: string;
                /** @description Who sends it, where the provider says so. */
                iss?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the studio */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_openapi_json: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_packages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_PackageView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_packages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrderPackage"];
            };
        };
        responses: {
            /** @description The work waits in the queue */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Accepted"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_packages_plan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrderPackage"];
            };
        };
        responses: {
            /** @description Its files; nothing is made */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_PlanView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_packages_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_password_link: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPassword"];
            };
        };
        responses: {
            /** @description Set, and signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_password_mail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailTo"];
            };
        };
        responses: {
            /** @description If there is such an account, a link is on its way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_playlists: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_PlaylistView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_playlists: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPlaylist"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_WholePlaylist"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_playlists_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The playlist */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_WholePlaylist"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_playlists_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    patch_playlists_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditPlaylist"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_WholePlaylist"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    put_playlists_id_tracks: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlaylistTracks"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_WholePlaylist"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_queues: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_QueueView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_reauthenticate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Proof"];
            };
        };
        responses: {
            /** @description Proved */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_reference: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_reference_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description page.css or page.js.
                 * @example page.css
                 */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A file of the page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAccount"];
            };
        };
        responses: {
            /** @description Made, and signed in */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description A link is on its way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_server: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_ServerView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SessionView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_sessions_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them as `data`; what was never set has its default */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    put_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Replaced */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetUp"];
            };
        };
        responses: {
            /** @description Made, and signed in */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TokenView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeToken"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_MadeToken"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_tokens_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It opens nothing any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tools: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ToolView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tracks: {
        parameters: {
            query?: {
                /** @description Words that title, artist and album together contain, in any order, whatever their case and accents. */
                search?: string;
                /** @description Only by this artist, written exactly so. */
                artist?: string;
                /** @description Only from this album, written exactly so. */
                album?: string;
                /** @description Only of this status: ready, working or failed. */
                status?: string;
                /** @description Only as fast as this, in beats per minute. */
                bpm_min?: number;
                /** @description Only as slow as this. */
                bpm_max?: number;
                /**
                 * @description Only in one of these keys, separated by commas: "A minor", "Am", "8A" or "1m".
                 * @example 8A,9A
                 */
                keys?: string;
                /** @description Only with at least this energy, 1 to 10. */
                energy_min?: number;
                /** @description Only with at most this energy. */
                energy_max?: number;
                /** @description Only with stems, or only without. */
                has_stems?: boolean;
                sort?: "newest" | "title" | "artist" | "bpm" | "key" | "duration" | "energy";
                /** @description The order the other way round. Default: no. */
                reverse?: boolean;
                /** @description Songs of a page. Default: 100. */
                limit?: number;
                /** @description `next` of the page before. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TrackView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_tracks: {
        parameters: {
            query?: {
                /**
                 * @description The name of the file, for a body that is only the file.
                 * @example song.mp3
                 */
                name?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
                "multipart/form-data": components["schemas"]["UploadForm"];
            };
        };
        responses: {
            /** @description A song that was there already */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Uploaded"];
                };
            };
            /** @description A new song */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Uploaded"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_tracks_import: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Import"];
            };
        };
        responses: {
            /** @description The download waits in the queue */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Accepted"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tracks_missing: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_MissingView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_tracks_process: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProcessSeveral"];
            };
        };
        responses: {
            /** @description The work waits in the queue */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_AcceptedBatch"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_tracks_remove: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Several"];
            };
        };
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tracks_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The song */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_TrackView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_tracks_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    patch_tracks_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditTrack"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_TrackView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tracks_id_analysis: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The analysis as `data` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tracks_id_cues: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In order of time */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_CueView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_tracks_id_cues: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlaceCue"];
            };
        };
        responses: {
            /** @description Placed */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_CueView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    put_tracks_id_cues_cue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                cue: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlaceCue"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_CueView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_tracks_id_cues_cue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                cue: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tracks_id_exports: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ExportView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_tracks_id_process: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Process"];
            };
        };
        responses: {
            /** @description The work waits in the queue */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Accepted"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_tracks_id_stems: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_StemView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_uploads: {
        parameters: {
            query?: never;
            header: {
                /** @example 1.0.0 */
                "Tus-Resumable": string;
                /** @description Bytes of the whole file */
                "Upload-Length": number;
                /** @description The name of the file, as "filename " and Base64 */
                "Upload-Metadata"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Begun */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    options_uploads: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the headers */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_uploads_id: {
        parameters: {
            query?: never;
            header: {
                /** @example 1.0.0 */
                "Tus-Resumable": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What had come is removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    head_uploads_id: {
        parameters: {
            query?: never;
            header: {
                /** @example 1.0.0 */
                "Tus-Resumable": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the headers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    patch_uploads_id: {
        parameters: {
            query?: never;
            header: {
                /** @example 1.0.0 */
                "Tus-Resumable": string;
                /** @description Bytes that have come before */
                "Upload-Offset": number;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/offset+octet-stream": number[];
            };
        };
        responses: {
            /** @description Taken; `Upload-Offset` says how much has come */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_users: {
        parameters: {
            query?: {
                /** @description Letters that name or address contain, in any case. */
                search?: string;
                /** @description Only of this role. */
                role?: string;
                /** @description Only of this status. */
                status?: string;
                /** @description Accounts of a page. Default: 25. */
                limit?: number;
                /** @description `next` of the page before. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_users: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeUser"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_users_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_users_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    patch_users_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditUser"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    post_users_id_impersonate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account that is acted as */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    put_users_id_status: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetStatus"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_UserView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_vault: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SecretView"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    put_vault_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutSecret"];
            };
        };
        responses: {
            /** @description Kept */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    delete_vault_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_files_hash: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hash: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description A part of it */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description It is what the client has already */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It lives */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Health"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    get_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They can */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Data_Health"];
                };
            };
            /** @description It failed */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
}
