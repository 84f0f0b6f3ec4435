/** Bodies of the HTTP API. Made by `npm run types`; do not edit. */

export interface components {
    schemas: {
        AccountOrder: {
            username: string;
            display_name: string;
            person: string;
        };
        AccountPage: {
            rows: components["schemas"]["AccountRow"][];
        };
        AccountRow: {
            username: string;
            display_name: string;
            person: string;
            role: ("system_admin" | "security_admin" | "audit_admin" | "analyst" | "shift_lead" | "compliance_officer" | "wall_display") | "";
            unit: string;
            state: "ungranted" | "waiting" | "locked" | "disabled" | "one-time" | "active";
            factor_bound: string | null;
            password_changed: string | null;
            created: string;
            created_by: string;
            sessions: number;
        };
        ActDetail: {
            act: components["schemas"]["ActRow"];
            items: components["schemas"]["ActItemRow"][];
            next: string;
        };
        ActItemRow: {
            group: string;
            state: "waiting" | "done" | "refused" | "undone";
            code: string;
            message: components["schemas"]["Text"] | null;
        };
        ActOrder: {
            action: "acknowledge" | "assign" | "close" | "reopen" | "snooze" | "wake" | "note" | "merge" | "split";
            groups?: string[];
            filter?: components["schemas"]["FilterOrder"] | null;
            owner: string;
            classification: ("true_positive" | "benign_positive" | "false_positive" | "test") | "";
            reason: string;
            until?: string | null;
            into: string;
        };
        ActPage: {
            rows: components["schemas"]["ActRow"][];
        };
        ActRow: {
            id: number;
            time: string;
            actor: string;
            action: string;
            state: "running" | "done" | "undoing" | "undone";
            total: number;
            done: number;
            refused: number;
            finished: string | null;
            undo_until: string | null;
        };
        AgeRow: {
            age: string;
            open: {
                [key: string]: number;
            };
        };
        AlertBody: {
            id: string;
            time: string;
            detected: string;
            reason: components["schemas"]["Text"];
            events: components["schemas"]["EventRow"][];
            matched: components["schemas"]["MatchRow"][];
        };
        AlertChanges: {
            rows: components["schemas"]["AlertGroup"][];
            next: string;
            more: boolean;
        };
        AlertCount: {
            total: number;
            revision: number;
        };
        AlertDetail: {
            group: components["schemas"]["AlertGroup"];
            alerts: components["schemas"]["AlertBody"][];
            history: components["schemas"]["HistoryRow"][];
            members?: components["schemas"]["AlertGroup"][];
        };
        AlertGroup: {
            id: string;
            rule: string;
            detector: "sigma" | "anomaly" | "special" | "health" | "manual";
            title: components["schemas"]["Text"];
            severity: "informational" | "low" | "medium" | "high" | "critical";
            entity: string;
            unit: string;
            sensor: string;
            count: number;
            first_seen: string;
            last_seen: string;
            state: "new" | "acknowledged" | "closed";
            owner: string;
            classification: ("true_positive" | "benign_positive" | "false_positive" | "test") | "";
            close_reason: string;
            reason: components["schemas"]["Text"];
            attack: string[];
            clauses: string[];
            revision: number;
            risk: number;
            risk_own: number;
            latest?: string | null;
            unit_name: string;
            system?: components["schemas"]["SystemBadge"] | null;
            members: number;
            total: number;
            parent: string;
            snoozed_until?: string | null;
            withheld: boolean;
            act?: number | null;
            incident: string;
        };
        AlertPage: {
            rows: components["schemas"]["AlertGroup"][];
            total: number;
            revision: number;
            next: string;
            exact: boolean;
        };
        ApiTokenOrder: {
            name: string;
            permissions: string[];
            unit: string;
            source: string;
            days: number;
        };
        ApiTokenPage: {
            rows: components["schemas"]["ApiTokenRow"][];
            lendable: string[];
            days_max: number;
        };
        ApiTokenRow: {
            id: string;
            kind: "api" | "kiosk";
            name: string;
            owner: string;
            permissions: string[];
            unit: string;
            source: string;
            made: string;
            expires: string;
            revoked: string | null;
            used: string | null;
        };
        Ask: {
            name: string;
            title: components["schemas"]["Text"];
            kind: "text" | "date" | "number" | "choice";
            required: boolean;
            choices: string[];
            within_days: number | null;
        };
        AssetOrder: {
            number: number;
            name: string;
            kind: "host" | "terminal" | "network-device" | "security-device" | "storage" | "database" | "middleware" | "application" | "other";
            address: string;
            owner: string;
            location: string;
            model: string;
            retired: boolean;
        };
        AssetRow: {
            number: number;
            system: string;
            name: string;
            kind: "host" | "terminal" | "network-device" | "security-device" | "storage" | "database" | "middleware" | "application" | "other";
            address: string;
            owner: string;
            location: string;
            model: string;
            origin: "entered" | "sensor" | "import";
            found: string;
            retired: boolean;
        };
        AttachmentRow: {
            sm3: string;
            name: string;
            bytes: number;
            time: string;
            actor: string;
            leaf: number;
        };
        AttackDetail: {
            id: string;
            name: components["schemas"]["Text"];
            tactics: components["schemas"]["Text"][];
            detections: components["schemas"]["AttackDetection"][];
            groups: components["schemas"]["AlertGroup"][];
        };
        AttackDetection: {
            id: string;
            kind: "rule" | "correlation" | "special" | "anomaly";
            title: components["schemas"]["Text"];
            level: "informational" | "low" | "medium" | "high" | "critical";
            state: "enabled" | "disabled" | "waiting";
            hits: number;
        };
        AttackPage: {
            days: number;
            version: string;
            tactics: components["schemas"]["AttackTactic"][];
            techniques: number;
            covered: number;
            unnamed: string[];
        };
        AttackTactic: {
            id: string;
            name: components["schemas"]["Text"];
            techniques: components["schemas"]["AttackTechnique"][];
        };
        AttackTechnique: {
            id: string;
            name: components["schemas"]["Text"];
            detections: number;
            enabled: number;
            hits: number;
            parts: components["schemas"]["AttackTechnique"][];
        };
        AttestationForm: {
            valid_days: number;
            attachments: number;
            review: boolean;
            asks: components["schemas"]["Ask"][];
        };
        AttestationPage: {
            rows: components["schemas"]["AttestationRow"][];
            next: number;
        };
        AttestationRow: {
            id: number;
            system: string;
            object: string;
            check: string;
            verdict: "符合" | "部分符合" | "不符合" | "不适用";
            reason: string;
            answers: {
                [key: string]: string;
            };
            attachments: string[];
            author: string;
            made: string;
            expires: string;
            state: "submitted" | "accepted" | "rejected" | "withdrawn";
            reviewer: string;
            reviewed: string | null;
            note: string;
            signed_by: "person" | "center";
            key: string;
            counts: boolean;
            leaf: number | null;
        };
        AuditCheckResult: {
            ok: boolean;
            lines: number;
            leaves: number;
            head: string;
            findings: components["schemas"]["Text"][];
        };
        AuditPage: {
            rows: components["schemas"]["AuditRow"][];
            next: string;
        };
        AuditRow: {
            sequence: number;
            time: string;
            actor: string;
            source: string;
            action: string;
            object: string;
            result: string;
            before: string;
            after: string;
            digest: string;
        };
        BesideRow: {
            id: string;
            rule: string;
            title: components["schemas"]["Text"];
            severity: "informational" | "low" | "medium" | "high" | "critical";
            entity: string;
            unit: string;
            count: number;
            first_seen: string;
            last_seen: string;
            state: "new" | "acknowledged" | "closed";
            owner: string;
            classification: string;
            close_reason: string;
            closed?: string | null;
            closed_by: string;
        };
        BucketPage: {
            by: string;
            rows: components["schemas"]["BucketRow"][];
            revision: number;
        };
        BucketRow: {
            value: string;
            title: components["schemas"]["Text"] | null;
            groups: number;
            alerts: number;
            worst: "informational" | "low" | "medium" | "high" | "critical";
            severities: {
                [key: string]: number;
            };
            latest: string;
            hosts?: number | null;
            users?: number | null;
        };
        BusyRule: {
            id: string;
            title: components["schemas"]["Text"];
            level: "informational" | "low" | "medium" | "high" | "critical";
            hits: number;
            judged: number;
            precision: number | null;
        };
        CaseFileRow: {
            sm3: string;
            name: string;
            bytes: number;
            time: string;
            actor: string;
            note: string;
        };
        CategoryRow: {
            id: string;
            name: components["schemas"]["Text"];
            kinds: string[];
        };
        Challenge: {
            challenge: string;
        };
        ChallengeOrder: {
            username: string;
        };
        ChangeDecision: {
            approve: boolean;
            note: string;
        };
        ChangePage: {
            rows: components["schemas"]["ConfigurationChange"][];
        };
        ChangeRow: {
            number: number;
            time: string;
            actor: string;
            action: string;
            body: {
                [key: string]: unknown;
            };
        };
        CheckChanges: {
            rows: components["schemas"]["SystemCheck"][];
            next: string;
            more: boolean;
        };
        CheckDetail: {
            check: components["schemas"]["CheckRow"];
            condition: string;
            evidence: components["schemas"]["CheckEvidence"][];
            remedy: components["schemas"]["Text"];
            history: components["schemas"]["CheckRow"][];
        };
        CheckEvidence: {
            event: string;
            time: string;
            host: string;
            probe: string;
            method: string;
            raw: string;
            values: {
                [key: string]: unknown;
            };
            satisfied: boolean;
        };
        CheckExplanation: {
            check: string;
            system: string;
            verdict: "符合" | "部分符合" | "不符合" | "不适用" | "未知";
            reason: components["schemas"]["Text"];
            evaluated: string | null;
            leaf: number | null;
            objects: components["schemas"]["ObjectReasons"][];
            changes: components["schemas"]["Text"][];
            form: components["schemas"]["AttestationForm"] | null;
            attestations: components["schemas"]["AttestationRow"][];
            orders: components["schemas"]["OrderRow"][];
            gates: components["schemas"]["GateStanding"][];
            days: number | null;
        };
        CheckPage: {
            system: string;
            system_name: string;
            grade: string;
            layers: components["schemas"]["LayerSummary"][];
            checks: components["schemas"]["CheckRow"][];
            disclaimer: components["schemas"]["Text"];
        };
        CheckRow: {
            id: string;
            layer: "physical" | "network" | "platform" | "data" | "application" | "management";
            title: components["schemas"]["Text"];
            severity: "critical" | "high" | "medium" | "low";
            clauses: string[];
            method: "probe" | "attestation" | "mixed";
            verdict: "符合" | "部分符合" | "不符合" | "不适用" | "未知";
            reason: components["schemas"]["Text"];
            evaluated: string | null;
            stale_at: string | null;
            leaf: number | null;
        };
        ClockKindRow: {
            id: string;
            name: components["schemas"]["Text"];
            minutes: number;
            to: components["schemas"]["Text"];
            grade: number;
            source: string;
            confidence: string;
        };
        ClockRow: {
            id: "first" | "final";
            to: components["schemas"]["Text"];
            started: string;
            due: string;
            done: string | null;
            overdue: boolean;
            source: string;
            confidence: string;
        };
        CloseAlert: {
            classification: "true_positive" | "benign_positive" | "false_positive" | "test";
            reason: string;
        };
        CompletionItem: {
            insert: string;
            kind: "field" | "alias" | "operator" | "value" | "connective";
            zh: string;
            en: string;
            field: string;
            count: number;
        };
        CompletionPage: {
            start: number;
            end: number;
            expects: "field" | "operator" | "value" | "connective";
            items: components["schemas"]["CompletionItem"][];
        };
        ConfigurationChange: {
            id: number;
            kind: "rule" | "gates" | "retention" | "support";
            about: string;
            before: unknown;
            after: unknown;
            reason: string;
            author: string;
            time: string;
            state: "waiting" | "provisional" | "confirmed" | "refused" | "expired" | "recorded";
            due: string | null;
            decider: string;
            note: string;
            decided: string | null;
        };
        ContactOrder: {
            number: number;
            system: string;
            duty: "leader" | "responsible" | "security-officer" | "data-officer" | "crypto-officer" | "contact";
            name: string;
            phone: string;
            email: string;
        };
        ContactPage: {
            rows: components["schemas"]["ContactRow"][];
        };
        ContactRow: {
            number: number;
            unit: string;
            system: string;
            duty: "leader" | "responsible" | "security-officer" | "data-officer" | "crypto-officer" | "contact";
            name: string;
            phone: string;
            email: string;
        };
        CorrelationCounters: {
            keys: number;
            bytes: number;
            late: number;
            unkeyed: number;
            uncounted: number;
            evicted: number;
            hurried: number;
            trimmed: number;
            unshown: number;
        };
        CoursePage: {
            window_seconds: number;
            starts: string[];
            rows: components["schemas"]["CourseRow"][];
        };
        CourseRow: {
            field: string;
            values: number[];
        };
        CoveragePage: {
            units: components["schemas"]["UnitCoverageRow"][];
            systems: components["schemas"]["SystemCoverageRow"][];
        };
        DecisionPage: {
            rows: components["schemas"]["DecisionRow"][];
            next: number;
        };
        DecisionRow: {
            id: number;
            gate: "transfer" | "go-live";
            system: string;
            action: string;
            about: string;
            decider: string;
            time: string;
            allowed: boolean;
            ruling: "checks" | "grace" | "override" | "release";
            grounds: components["schemas"]["GroundRow"][];
            reason: components["schemas"]["Text"];
            rules: string;
            evidence: number[];
            override: number | null;
            release: number | null;
            leaf: number | null;
        };
        DeliveryPage: {
            rows: components["schemas"]["DeliveryRow"][];
        };
        DeliveryRow: {
            id: number;
            event: string;
            about: string;
            made: string;
            state: "waiting" | "delivered" | "given-up";
            attempts: number;
            due: string;
            status: number;
            problem: string;
        };
        DisableOrder: {
            reason: string;
        };
        DocumentColumn: {
            name: string;
            title: components["schemas"]["Text"];
            kind: string;
            required: boolean;
            choices: string[];
        };
        DocumentKindRow: {
            kind: string;
            title: components["schemas"]["Text"];
            columns: components["schemas"]["DocumentColumn"][];
            checks: string[];
        };
        DocumentPage: {
            kinds: components["schemas"]["DocumentKindRow"][];
            rows: components["schemas"]["DocumentRow"][];
        };
        DocumentRow: {
            id: number;
            system: string;
            kind: string;
            time: string;
            actor: string;
            sm3: string;
            rows: number;
        };
        Draft: {
            statement: string;
        };
        EntityDetail: {
            kind: "host" | "user" | "address";
            name: string;
            risk: number;
            days: components["schemas"]["RiskPoint"][];
            alerts: components["schemas"]["AlertGroup"][];
            alerts_open: number;
            hosts: components["schemas"]["HostRow"][];
            units: components["schemas"]["EntityUnit"][];
            systems: components["schemas"]["SystemBadge"][];
            query: string;
        };
        EntityUnit: {
            unit: string;
            name: string;
        };
        EventRow: {
            id: string;
            time: string;
            ingested: string | null;
            unit: string;
            sensor: string;
            logsource: {
                [key: string]: string;
            };
            fields: {
                [key: string]: unknown;
            };
            native: {
                [key: string]: unknown;
            };
        };
        EvidencePage: {
            size: number;
            root: string;
            checkpoint: string;
            rows: components["schemas"]["LeafRow"][];
            next: string;
        };
        ExceptionDecision: {
            approve: boolean;
            note: string;
        };
        ExceptionDetail: {
            exception: components["schemas"]["ExceptionRow"];
            history: components["schemas"]["ExceptionStep"][];
            per_hour: components["schemas"]["HeldHour"][];
            examples: components["schemas"]["HeldAlert"][];
        };
        ExceptionDraft: {
            title: components["schemas"]["Text"];
            rule: string;
            unit: string;
            terms: string[];
            health: boolean;
        };
        ExceptionEnd: {
            note: string;
            bring_back: boolean;
        };
        ExceptionOrder: {
            kind: "exception" | "maintenance";
            rules: string[];
            unit: string;
            below: boolean;
            condition: string;
            title: string;
            reason: string;
            owner: string;
            begins?: string | null;
            expires: string;
            origin: string;
        };
        ExceptionPage: {
            rows: components["schemas"]["ExceptionRow"][];
            held_day: number;
            waiting: number;
            next: number;
        };
        ExceptionPreview: {
            days: number;
            asked: number;
            unasked: number;
            alerts: number;
            groups: number;
            per_day: number[];
            shown: components["schemas"]["GroupHitRow"][];
            events: number | null;
            events_more: boolean;
            critical: number;
            true_positives: number;
            health: number;
            grave: components["schemas"]["Text"][];
        };
        ExceptionRow: {
            id: number;
            kind: "exception" | "maintenance";
            title: string;
            rules: string[];
            unit: string;
            units: number;
            condition: string;
            reason: string;
            owner: string;
            asked: string;
            asked_by: string;
            begins: string;
            expires: string;
            phase: "waiting" | "scheduled" | "active" | "expired" | "refused" | "ended";
            grave: components["schemas"]["Text"][];
            decided: string | null;
            decided_by: string;
            note: string;
            origin: string;
            expected: {
                [key: string]: number;
            };
            held: number;
            recent: number;
            last: string | null;
        };
        ExceptionScope: {
            kind: "exception" | "maintenance";
            rules: string[];
            unit: string;
            below: boolean;
            condition: string;
        };
        ExceptionStep: {
            time: string;
            actor: string;
            action: "asked" | "approved" | "refused" | "ended";
            note: string;
        };
        FactorCode: {
            code: string;
        };
        FactorOffer: {
            hash: "sm3" | "sha256";
            secret: string;
            uri: string;
            image: string;
        };
        FactorOrder: {
            hash: "sm3" | "sha256";
        };
        FieldValue: {
            value: string;
            count: number;
        };
        FilingOrder: {
            kind: "first" | "follow-up" | "final";
            to: string;
            channel: string;
            sent?: string | null;
            fields: {
                [key: string]: string;
            };
        };
        FilingRow: {
            number: number;
            kind: "first" | "follow-up" | "final";
            to: string;
            channel: string;
            sent: string;
            recorded: string;
            actor: string;
            fields: {
                [key: string]: string;
            };
        };
        FilterOrder: {
            state: "open" | "new" | "acknowledged" | "snoozed" | "withheld" | "closed" | "all";
            severity: "" | "informational" | "low" | "medium" | "high" | "critical";
            detector: "" | "sigma" | "anomaly" | "special" | "health" | "manual";
            q: string;
            since?: string | null;
            until?: string | null;
        };
        FormFieldRow: {
            name: string;
            title: components["schemas"]["Text"];
            asked: ("first" | "follow-up" | "final")[];
            required: ("first" | "follow-up" | "final")[];
        };
        GapRow: {
            event: string;
            lane: string;
            first: number;
            last: number;
            count: number;
            reason: string;
            time: string;
            begins: string | null;
            ends: string | null;
            leaf: number | null;
        };
        GateAsk: {
            system: string;
            about: string;
        };
        GatePage: {
            gates: components["schemas"]["DecisionRow"][];
            fail_closed: {
                [key: string]: string[];
            };
            overrides: components["schemas"]["OverrideRow"][];
            release: components["schemas"]["ReleaseRow"] | null;
            released: boolean;
        };
        GateStanding: {
            gate: "transfer" | "go-live";
            closes: boolean;
            fail_closed: boolean;
            at_once: boolean;
        };
        GradeRow: {
            grade: number;
            name: components["schemas"]["Text"];
            persons: number;
        };
        GradingPage: {
            score: components["schemas"]["ScoreBody"];
            rule: components["schemas"]["Text"];
            score_2021: number;
            grade_2021: string;
            points: components["schemas"]["GroupRow"][];
            items: components["schemas"]["ItemRow"][];
            disclaimer: components["schemas"]["Text"];
        };
        GrantOrder: {
            role: "system_admin" | "security_admin" | "audit_admin" | "analyst" | "shift_lead" | "compliance_officer" | "wall_display";
            unit: string;
        };
        GroundRow: {
            check: string;
            state: "failed" | "unknown" | "grace" | "overridden";
            verdict: "符合" | "部分符合" | "不符合" | "不适用" | "未知";
            reason: components["schemas"]["Text"];
            leaf: number | null;
            since: string | null;
            until: string | null;
        };
        GroupHitRow: {
            id: string;
            title: components["schemas"]["Text"];
            entity: string;
            severity: "informational" | "low" | "medium" | "high" | "critical";
            unit: string;
            state: "new" | "acknowledged" | "closed";
            classification: string;
            alerts: number;
            last: string;
        };
        GroupPlaybook: {
            playbook: components["schemas"]["PlaybookRow"] | null;
            done: number;
            total: number;
        };
        GroupRow: {
            name: string;
            counts: {
                [key: string]: number;
            };
            rate: number | null;
        };
        Health: {
            status: "ok";
        };
        HeldAlert: {
            id: string;
            time: string;
            rule: string;
            title: components["schemas"]["Text"];
            reason: components["schemas"]["Text"];
            severity: "informational" | "low" | "medium" | "high" | "critical";
            entity: string;
            unit: string;
            sensor: string;
        };
        HeldHour: {
            hour: string;
            count: number;
        };
        HistoryRow: {
            time: string;
            actor: string;
            action: string;
            note: string;
        };
        HostChangePage: {
            rows: components["schemas"]["HostChangeRow"][];
        };
        HostChangeRow: {
            event: string;
            time: string;
            kind: string;
            action: "added" | "removed" | "changed" | "";
            key: string;
            before: string;
            after: string;
            while_down: boolean;
        };
        HostDetail: {
            host: components["schemas"]["HostRow"];
            facts: {
                [key: string]: string;
            };
            tables: components["schemas"]["HostTableRow"][];
            alerts_open: number;
        };
        HostHitPage: {
            kind: string;
            columns: string[];
            rows: components["schemas"]["HostHitRow"][];
            hosts: number;
            more: boolean;
        };
        HostHitRow: {
            unit: string;
            host: string;
            cells: string[];
        };
        HostPage: {
            rows: components["schemas"]["HostRow"][];
        };
        HostRow: {
            unit: string;
            host: string;
            sensor: string;
            first_seen: string;
            last_seen: string;
            os: string;
            kernel: string;
            domestic: string;
            addresses: string[];
            kinds: string[];
            system: string;
            system_name: string;
            asset: number | null;
        };
        HostTable: {
            table: components["schemas"]["HostTableRow"];
            columns: string[];
            rows: string[][];
        };
        HostTableRow: {
            kind: string;
            rows: number;
            time: string;
            since: string;
            method: string;
            complete: boolean;
            truncated: boolean;
            error: string;
        };
        HuntField: {
            name: string;
            zh: string;
            en: string;
            events: number;
            values: components["schemas"]["FieldValue"][];
        };
        HuntProgress: {
            events: components["schemas"]["EventRow"][] | null;
            fields: components["schemas"]["HuntField"][] | null;
            sampled: number;
            matched: number;
            counts: number[];
            since: string;
            until: string;
            step_seconds: number;
            reached: string;
            files: number;
            files_all: number;
            done: boolean;
            stopped: boolean;
            next: string;
            findings: components["schemas"]["Text"][];
        };
        HuntViewOrder: {
            name: string;
            settings: {
                [key: string]: string;
            };
            shared: boolean;
        };
        HuntViewPage: {
            rows: components["schemas"]["HuntViewRow"][];
        };
        HuntViewRow: {
            id: number;
            name: string;
            owner: string;
            shared: boolean;
            own: boolean;
            settings: {
                [key: string]: string;
            };
            time: string;
        };
        ImportResult: {
            dry_run: boolean;
            done: boolean;
            added: {
                [key: string]: number;
            };
            changed: {
                [key: string]: number;
            };
            same: {
                [key: string]: number;
            };
            errors: components["schemas"]["RowErrorBody"][];
        };
        IncidentAlert: {
            id: string;
            title: components["schemas"]["Text"];
            severity: "informational" | "low" | "medium" | "high" | "critical";
            entity: string;
            state: string;
            count: number;
            last_seen: string | null;
            attack: string[];
        };
        IncidentAlertsOrder: {
            groups: string[];
            drop: boolean;
            move: boolean;
            note: string;
        };
        IncidentChangeOrder: {
            title?: string | null;
            system?: string | null;
            category?: string | null;
            kind?: string | null;
            grade?: number | null;
            clock?: string | null;
            owner?: string | null;
            discovered?: string | null;
            place?: string | null;
            persons?: number | null;
            summary?: string | null;
            note: string;
        };
        IncidentChanges: {
            rows: components["schemas"]["IncidentRow"][];
            next: string;
            more: boolean;
        };
        IncidentDecision: {
            step: "close" | "dismiss" | "reopen";
            note: string;
        };
        IncidentDetail: {
            incident: components["schemas"]["IncidentRow"];
            place: string;
            persons: number;
            summary: string;
            alerts: components["schemas"]["IncidentAlert"][];
            tasks: components["schemas"]["IncidentTask"][];
            filings: components["schemas"]["FilingRow"][];
            files: components["schemas"]["CaseFileRow"][];
            events: components["schemas"]["IncidentEventRow"][];
            steps: ("accept" | "settle" | "resume" | "close" | "dismiss" | "reopen")[];
        };
        IncidentEventRow: {
            time: string;
            at: string;
            actor: string;
            action: string;
            note: string;
            leaf: number | null;
        };
        IncidentFigures: {
            active: number;
            overdue: number;
            grades: {
                [key: string]: number;
            };
        };
        IncidentMerge: {
            into: string;
            note: string;
        };
        IncidentOrder: {
            groups?: string[];
            title: string;
            unit: string;
            system: string;
            category: string;
            kind: string;
            grade: number;
            clock: string;
            owner: string;
            discovered?: string | null;
            place: string;
            persons: number;
            summary: string;
            note: string;
        };
        IncidentPage: {
            rows: components["schemas"]["IncidentRow"][];
            figures: components["schemas"]["IncidentFigures"];
            next: string;
        };
        IncidentRow: {
            number: string;
            title: string;
            unit: string;
            unit_name: string;
            system: string;
            state: "open" | "handling" | "handled" | "closed" | "dismissed" | "merged";
            category: string;
            kind: string;
            grade: number;
            clock: string;
            owner: string;
            discovered: string;
            created: string;
            created_by: string;
            updated: string;
            ended: string | null;
            closed: string | null;
            merged_into: string;
            tasks_open: number;
            clocks: components["schemas"]["ClockRow"][];
            revision: number;
        };
        IncidentRulesBody: {
            source: string;
            confidence: string;
            categories: components["schemas"]["CategoryRow"][];
            grades: components["schemas"]["GradeRow"][];
            clocks: components["schemas"]["ClockKindRow"][];
            closing_days: number;
            form: components["schemas"]["FormFieldRow"][];
            titles: {
                [key: string]: components["schemas"]["Text"];
            };
        };
        IncidentSplit: {
            groups: string[];
            title: string;
            note: string;
        };
        IncidentStepOrder: {
            step: "accept" | "settle" | "resume";
            note: string;
        };
        IncidentTask: {
            number: number;
            title: string;
            owner: string;
            due: string | null;
            state: "open" | "done" | "dropped";
            overdue: boolean;
            ended: string | null;
            ended_by: string;
        };
        InspectionOrder: {
            audience: "police" | "cyberspace" | "cryptography" | "data";
            system: string;
        };
        IssueOrder: {
            unbind: boolean;
        };
        IssuedPassword: {
            username: string;
            one_time: string;
            expires: string;
        };
        ItemDetail: {
            item: components["schemas"]["ItemRow"];
            hint: string;
            checks: string[];
            kinds: string[];
            results: components["schemas"]["ResultRow"][];
            statements: components["schemas"]["ItemStatementRow"][];
        };
        ItemRow: {
            id: string;
            reference: string;
            level: number;
            extension: ("cloud" | "mobile" | "iot" | "ics") | "general";
            domain: string;
            point: string;
            summary: string;
            dimension: "S" | "A" | "G";
            unit: string;
            layer: string;
            high_risk_cases: string[];
            major_risk_triggers: string[];
            verdict: "符合" | "部分符合" | "不符合" | "不适用" | "未知";
            risk: "" | "low" | "medium" | "high" | "major";
            objects: number;
            stale_at: string | null;
        };
        ItemStatementOrder: {
            item: string;
            object: string;
            verdict: "" | "符合" | "部分符合" | "不符合" | "不适用";
            risk: "" | "low" | "medium";
            reason: string;
            mitigation: string;
            valid_until?: string | null;
        };
        ItemStatementPage: {
            rows: components["schemas"]["ItemStatementRow"][];
        };
        ItemStatementReview: {
            confirm: boolean;
            note: string;
        };
        ItemStatementRow: {
            number: number;
            system: string;
            object: string;
            item: string;
            verdict: "" | "符合" | "部分符合" | "不符合" | "不适用";
            risk: "" | "low" | "medium";
            reason: string;
            mitigation: string;
            author: string;
            made: string;
            valid_until: string | null;
            state: "proposed" | "confirmed" | "refused" | "withdrawn" | "replaced";
            reviewer: string;
            reviewed: string | null;
            review: string;
        };
        ItemStatementWithdrawal: {
            note: string;
        };
        KeyProof: {
            challenge: string;
            key: string;
            signature: string;
        };
        KioskLogin: {
            token: string;
        };
        KioskOrder: {
            name: string;
            unit: string;
            source: string;
            days: number;
        };
        LateOrder: {
            number: string;
            check: string;
            title: components["schemas"]["Text"];
            owner: string;
            deadline: string;
        };
        LayerSummary: {
            layer: string;
            counts: {
                [key: string]: number;
            };
        };
        LeafRow: {
            index: number;
            kind: string;
            time: string;
            actor: string;
            subject: string;
            summary: string;
            payload_sm3: string;
            leaf_hash: string;
        };
        Login: {
            username: string;
            password: string;
            code: string;
            proof?: components["schemas"]["KeyProof"] | null;
        };
        MadeToken: {
            token: components["schemas"]["ApiTokenRow"];
            text: string;
        };
        MadeWebhook: {
            webhook: components["schemas"]["WebhookRow"];
            secret: string;
        };
        MajorRiskRow: {
            trigger: string;
            item: string;
            object: string;
            first_seen: string;
            rectified: string | null;
        };
        MatchRow: {
            event: string;
            field: string;
            value: unknown;
            selection: string;
            usual?: [
                number,
                number
            ] | null;
            peers?: [
                number,
                number
            ] | null;
            label?: components["schemas"]["Text"] | null;
            one_in?: number | null;
            last?: string | null;
        };
        MilestoneRow: {
            number: number;
            step: "grade" | "expert-review" | "approve" | "file" | "renew" | "build" | "assess" | "rectify" | "operate" | "crypto-assess" | "inspect" | "change" | "retire";
            day: string;
            stage: "draft" | "graded" | "reviewed" | "approved" | "filed" | "building" | "assessed" | "rectifying" | "operating" | "changing" | "retired";
            document: string;
            authority: string;
            conclusion: string;
            valid_until: string | null;
            note: string;
            actor: string;
            recorded: string;
        };
        ModelAct: {
            act: "made" | "trial" | "promoted" | "rejected" | "rolled-back" | "refused";
            kind: string;
            name: components["schemas"]["Text"];
            version: number;
            time: string;
            actor: string;
            why: string;
            manifest_sm3: string;
            leaf: number | null;
        };
        ModelDecision: {
            reason: string;
        };
        ModelKind: {
            kind: string;
            name: components["schemas"]["Text"];
            learned: number;
            needed: number;
            champion: number;
            challenger: number;
            back: number;
            speaks: components["schemas"]["ModelShare"] | null;
            trial: components["schemas"]["ModelShare"] | null;
            trial_windows: number;
            drift_windows: number;
            outside: number;
            refitted: string | null;
            versions: components["schemas"]["ModelVersion"][];
        };
        ModelPage: {
            kinds: components["schemas"]["ModelKind"][];
            acts: components["schemas"]["ModelAct"][];
            ranker: components["schemas"]["RankerState"];
            key: string;
        };
        ModelShare: {
            windows: number;
            times: number;
        };
        ModelVersion: {
            version: number;
            role: "champion" | "challenger" | "before" | "";
            good: boolean;
            why: components["schemas"]["Text"] | null;
            rows: number;
            learned_from: string | null;
            learned_until: string | null;
            manifest_sm3: string;
        };
        MoveSensor: {
            unit: string;
            group: string;
        };
        NamesState: {
            shown: boolean;
            until: string | null;
            reason: string;
            roles: ("system_admin" | "security_admin" | "audit_admin" | "analyst" | "shift_lead" | "compliance_officer" | "wall_display")[];
            fields: string[];
        };
        NeighbourPage: {
            rows: components["schemas"]["NeighbourRow"][];
            more: boolean;
            stopped: boolean;
        };
        NeighbourRow: {
            kind: "host" | "user" | "address";
            name: string;
            relation: string;
            events: number;
            risk: number;
        };
        NewAlert: {
            title: string;
            reason: string;
            severity: "informational" | "low" | "medium" | "high" | "critical";
            entity: string;
            unit: string;
            time?: string | null;
        };
        NoticeChanges: {
            rows: components["schemas"]["NoticeRow"][];
            next: string;
            more: boolean;
        };
        NoticeDetail: {
            notice: components["schemas"]["NoticeRow"];
            text: string;
            copies: string;
            about: number;
            approved_by: string;
            issued_by: string;
            receipts: components["schemas"]["ReceiptRow"][];
            events: components["schemas"]["NoticeEventRow"][];
            steps: string[];
        };
        NoticeDraft: {
            kind: string;
            title: string;
            text: string;
            receivers: string[];
            days: number;
            copies: string;
            incident: string;
            about: number;
        };
        NoticeEventRow: {
            time: string;
            unit: string;
            actor: string;
            action: string;
            note: string;
            leaf: number | null;
        };
        NoticeKindRow: {
            id: string;
            name: components["schemas"]["Text"];
            mark: string;
            answer: boolean;
            sign_hours: number;
            days: number;
            upward: boolean;
        };
        NoticePage: {
            rows: components["schemas"]["NoticeRow"][];
            next: number;
        };
        NoticeRow: {
            id: number;
            number: string;
            kind: string;
            state: "draft" | "review" | "approved" | "issued" | "closed" | "withdrawn" | "revoked";
            issuer: string;
            issuer_name: string;
            title: string;
            days: number;
            incident: string;
            drafted_by: string;
            created: string;
            updated: string;
            issued: string | null;
            closed: string | null;
            due: string | null;
            receivers: number;
            signed: number;
            answered: number;
            cleared: number;
            overdue: boolean;
            revision: number;
        };
        NoticeRulesBody: {
            kinds: components["schemas"]["NoticeKindRow"][];
            below: components["schemas"]["ReceiverRow"][];
            above: components["schemas"]["ReceiverRow"][];
        };
        ObjectOrder: {
            kind: "room" | "network" | "boundary" | "host" | "terminal" | "network-device" | "security-device" | "storage" | "database" | "middleware" | "application" | "data" | "center" | "organisation";
            name: string;
            note: string;
            retired: boolean;
        };
        ObjectReasons: {
            object: string;
            verdict: "符合" | "部分符合" | "不符合" | "不适用" | "未知";
            reason: components["schemas"]["Text"];
            stale_at: string | null;
            reasons: components["schemas"]["ReasonRow"][];
        };
        ObjectRow: {
            id: string;
            kind: "room" | "network" | "boundary" | "host" | "terminal" | "network-device" | "security-device" | "storage" | "database" | "middleware" | "application" | "data" | "center" | "organisation";
            name: string;
            asset: number | null;
            note: string;
            retired: boolean;
        };
        OpenSessionPage: {
            rows: components["schemas"]["OpenSessionRow"][];
        };
        OpenSessionRow: {
            id: string;
            username: string;
            unit: string;
            role: ("system_admin" | "security_admin" | "audit_admin" | "analyst" | "shift_lead" | "compliance_officer" | "wall_display") | "";
            source: string;
            factor: string;
            created: string;
            seen: string;
            expires: string;
        };
        OpenToken: {
            id: string;
            unit: string;
            group: string;
            actor: string;
            created: string;
            expires: string;
        };
        OrderAnswer: {
            note: string;
            attachments?: string[];
        };
        OrderChange: {
            owner: string;
            deadline?: string | null;
            cancel: boolean;
            note: string;
        };
        OrderChanges: {
            rows: components["schemas"]["OrderRow"][];
            next: string;
            more: boolean;
        };
        OrderDetail: {
            order: components["schemas"]["OrderRow"];
            events: components["schemas"]["OrderEventRow"][];
        };
        OrderEventRow: {
            time: string;
            actor: string;
            action: string;
            note: string;
            attachments: string[];
            leaf: number | null;
        };
        OrderPage: {
            rows: components["schemas"]["OrderRow"][];
            statistics: components["schemas"]["OrderStatistics"];
            next: string;
        };
        OrderRetest: {
            passed: boolean;
            note: string;
        };
        OrderRow: {
            number: string;
            system: string;
            object: string;
            check: string;
            severity: string;
            state: "issued" | "answered" | "closed" | "cancelled";
            owner: string;
            issued: string;
            deadline: string;
            overdue: boolean;
            verdict: "符合" | "部分符合" | "不符合" | "不适用" | "未知";
            facts: components["schemas"]["Text"];
            remedy: components["schemas"]["Text"];
            clauses: string[];
            leaf: number;
            notify: boolean;
            reminded: number;
            escalated: number;
            retests_failed: number;
            answered: string | null;
            answered_by: string;
            closed: string | null;
        };
        OrderStatistics: {
            issued: number;
            closed: number;
            closed_in_time: number;
            open: number;
            overdue: number;
            retests_failed: number;
            escalated: number;
            days_to_close: number | null;
        };
        OverduePage: {
            incidents: number;
            notices: number;
            orders: number;
        };
        OverrideDecision: {
            approve: boolean;
        };
        OverrideOrder: {
            gate: "transfer" | "go-live";
            system: string;
            checks: string[];
            reason: string;
            hours: number;
        };
        OverrideRow: {
            id: number;
            gate: "transfer" | "go-live";
            system: string;
            checks: string[];
            reason: string;
            state: "asked" | "approved" | "refused" | "ended";
            asked_by: string;
            asked_role: string;
            asked: string;
            expires: string;
            decided_by: string;
            decided_role: string;
            decided: string | null;
        };
        Overview: {
            open_alerts: {
                [key: string]: number;
            };
            events_last_hour: number;
            alerts_last_day: number[];
            sensors_online: number;
            sensors_total: number;
            verdicts: {
                [key: string]: number;
            };
            ledger_size: number;
            ledger_root: string;
            anomaly_state: components["schemas"]["Text"];
        };
        OwnerRow: {
            owner: string;
            groups: number;
            urgent: number;
            oldest: string;
        };
        PacketField: {
            name: string;
            value: string;
        };
        PacketLayer: {
            name: string;
            fields: components["schemas"]["PacketField"][];
        };
        PacketPage: {
            request: components["schemas"]["PacketRequestRow"];
            total: number;
            first: number;
            rows: components["schemas"]["PacketRow"][];
            note: string;
            veiled: boolean;
        };
        PacketRequestRow: {
            id: string;
            sensor: string;
            community_id: string;
            begins: string;
            ends: string;
            actor: string;
            asked: string;
            state: "wanted" | "arrived" | "empty" | "failed";
            reason: string;
            bytes: number;
            sm3: string;
            finished: string | null;
        };
        PacketRequests: {
            rows: components["schemas"]["PacketRequestRow"][];
        };
        PacketRow: {
            number: number;
            time: string;
            length: number;
            summary: string;
            layers: components["schemas"]["PacketLayer"][];
            hex: string;
        };
        PaperDecision: {
            step: "return" | "approve" | "issue" | "revoke";
            note: string;
        };
        PaperStepOrder: {
            step: "submit" | "withdraw";
            note: string;
        };
        PasswordChange: {
            old: string;
            new: string;
        };
        PersonKeyOrder: {
            person: string;
            public_pem: string;
        };
        PersonKeyPage: {
            rows: components["schemas"]["PersonKeyRow"][];
        };
        PersonKeyRow: {
            fingerprint: string;
            person: string;
            public_pem: string;
            added: string;
            added_by: string;
            revoked: string | null;
        };
        PersonPage: {
            rows: components["schemas"]["PersonRow"][];
        };
        PersonRow: {
            actor: string;
            name: string;
            role: "system_admin" | "security_admin" | "audit_admin" | "analyst" | "shift_lead" | "compliance_officer" | "wall_display";
        };
        PlaybookMark: {
            step: string;
            done: boolean;
        };
        PlaybookPage: {
            rows: components["schemas"]["PlaybookRow"][];
        };
        PlaybookRow: {
            id: string;
            title: components["schemas"]["Text"];
            steps: components["schemas"]["PlaybookStep"][];
            rules: string[];
        };
        PlaybookStep: {
            id: string;
            text: components["schemas"]["Text"];
            done: boolean;
            time?: string | null;
            actor: string;
        };
        PrecedentPage: {
            same: components["schemas"]["BesideRow"][];
            others: components["schemas"]["BesideRow"][];
            judged: {
                [key: string]: number;
            };
        };
        Problem: {
            code: string;
            message: components["schemas"]["Text"];
            fix: components["schemas"]["Text"];
            field: string;
        };
        ProcessRow: {
            place: number;
            event: string;
            time: string;
            pid: string;
            executable: string;
            command_line: string;
            user: string;
        };
        ProposalPage: {
            rows: components["schemas"]["ProposalRow"][];
            labels: number;
            needed: number;
        };
        ProposalRow: {
            kind: "entity" | "threshold";
            rule: string;
            unit: string;
            condition: string;
            labels: number;
            days: number;
            why: components["schemas"]["Text"];
        };
        RankerState: {
            version: number;
            labels: number;
            needed: number;
            odd: number;
        };
        ReasonRow: {
            fact: string;
            state: "satisfied" | "partial" | "unsatisfied" | "inapplicable" | "unknown";
            why: components["schemas"]["Text"];
            wanted: string;
            values: {
                [key: string]: unknown;
            };
            event: string;
            seen: string | null;
            stale_at: string | null;
            change: components["schemas"]["Text"];
        };
        ReceiptDecision: {
            step: "pass" | "fail" | "clear";
            note: string;
        };
        ReceiptRow: {
            unit: string;
            unit_name: string;
            state: "issued" | "received" | "handling" | "answered" | "checked" | "cleared" | "void";
            sign_due: string | null;
            due: string | null;
            signed: string | null;
            signed_by: string;
            answered: string | null;
            answered_by: string;
            answer: string;
            files: string[];
            late_answers: number;
            failed: number;
            checked_by: string;
            cleared: string | null;
            cleared_by: string;
            overdue: boolean;
            steps: string[];
        };
        ReceiptStepOrder: {
            step: "sign" | "handle" | "answer";
            note: string;
            files?: string[];
        };
        ReceiverRow: {
            code: string;
            name: string;
        };
        RelatedPage: {
            groups: components["schemas"]["BesideRow"][];
            processes: components["schemas"]["ProcessRow"][];
            session_field: string;
            session_value: string;
            session: components["schemas"]["SessionEvent"][];
        };
        ReleaseOrder: {
            reason: string;
            hours: number;
        };
        ReleaseRow: {
            id: number;
            released: boolean;
            time: string;
            until: string;
            actor: string;
            reason: string;
        };
        ReportChart: {
            kind: "radar" | "line" | "bars" | "stack" | "funnel" | "spans";
            title: string;
            labels: string[];
            series: components["schemas"]["ReportSeries"][];
            unit: string;
            limit: number;
            mark: number;
        };
        ReportCharts: {
            rows: components["schemas"]["ReportChart"][];
        };
        ReportDetail: {
            report: components["schemas"]["ReportRow"];
            sections: components["schemas"]["ReportSection"][];
            signatures: components["schemas"]["ReportSignature"][];
            next: "prepare" | "review" | "approve" | "";
        };
        ReportOrder: {
            month: string;
            scope: "unit" | "system";
            unit: string;
        };
        ReportPage: {
            rows: components["schemas"]["ReportRow"][];
        };
        ReportReturn: {
            reason: string;
        };
        ReportRow: {
            id: string;
            month: string;
            scope: "unit" | "system";
            unit: string;
            edition: number;
            created: string;
            actor: string;
            state: "draft" | "prepared" | "reviewed" | "issued" | "superseded";
            revision: number;
            corrects: string;
            due: string;
            pdf_sm3: string;
            xlsx_sm3: string;
            docx_sm3: string;
            p7s_sm3: string;
            content_sm3: string;
            leaf: number;
        };
        ReportSection: {
            section: string;
            title: string;
            text: string;
            author: string;
            changed: string;
        };
        ReportSeries: {
            name: string;
            values: (number | null)[];
        };
        ReportSignature: {
            step: "prepare" | "review" | "approve";
            actor: string;
            name: string;
            time: string;
            leaf: number;
            key: string;
        };
        ReportSigning: {
            content_sm3: string;
            own?: components["schemas"]["SignedOrder"] | null;
        };
        ReportStepOrder: {
            step: "prepare" | "review" | "approve";
            content_sm3: string;
        };
        ReportTexts: {
            texts: {
                [key: string]: string;
            };
        };
        ResultRow: {
            item: string;
            object: string;
            verdict: "符合" | "部分符合" | "不符合" | "不适用" | "未知";
            reason: components["schemas"]["Text"];
            by: string[];
            leaves: number[];
            stale_at: string | null;
            risk: "" | "low" | "medium" | "high" | "major";
            mitigation: string;
            statement: number | null;
        };
        RevealOrder: {
            reason: string;
            minutes: number;
        };
        Review: {
            accept: boolean;
            note: string;
        };
        RevokeSensor: {
            reason: string;
        };
        RiskPoint: {
            time: string;
            risk: number;
            alerts: number;
        };
        RowErrorBody: {
            sheet: "units" | "systems" | "assets" | "objects" | "contacts";
            row: number;
            column: string;
            what: components["schemas"]["Text"];
            fix: components["schemas"]["Text"];
        };
        RuleDecision: {
            reason: string;
        };
        RuleDetail: {
            rule: components["schemas"]["RuleRow"];
            description: components["schemas"]["Text"];
            author: string;
            references: string[];
            falsepositives: string[];
            place: string;
            digest: string;
            text: string;
            watches: components["schemas"]["RuleName"][];
            watched_by: components["schemas"]["RuleName"][];
            history: components["schemas"]["RulePast"][];
            hits: components["schemas"]["RuleHit"][];
        };
        RuleDraftDecision: {
            reason: string;
        };
        RuleDraftOrder: {
            q: string;
            title: string;
            level: "informational" | "low" | "medium" | "high" | "critical";
            since: string;
            until: string;
        };
        RuleDraftPage: {
            rows: components["schemas"]["RuleDraftRow"][];
        };
        RuleDraftRow: {
            id: number;
            rule: string;
            title: string;
            text: string;
            author: string;
            unit: string;
            time: string;
            state: "draft" | "accepted" | "refused";
            decider: string;
            reason: string;
            decided: string | null;
        };
        RuleError: {
            place: string;
            code: string;
            message: components["schemas"]["Text"];
            fix: components["schemas"]["Text"];
        };
        RuleHit: {
            group: string;
            entity: string;
            severity: "informational" | "low" | "medium" | "high" | "critical";
            count: number;
            last_seen: string;
            state: "new" | "acknowledged" | "closed";
            classification: string;
        };
        RuleMatch: {
            field: string;
            value: unknown;
            selection: string;
        };
        RuleName: {
            id: string;
            title: components["schemas"]["Text"];
        };
        RulePage: {
            rows: components["schemas"]["RuleRow"][];
            errors: components["schemas"]["RuleError"][];
            days: number;
            decided: number;
            pipeline: components["schemas"]["RulePipeline"] | null;
        };
        RulePast: {
            time: string;
            kind: "loaded" | "removed" | "enabled" | "disabled";
            digest: string;
            actor: string;
            reason: string;
        };
        RulePipeline: {
            time: string;
            started: string;
            applied: number;
            rules: number;
            correlations: number;
            events: number;
            unknown_to_all: boolean;
            unrouted_events: number;
            unrouted: components["schemas"]["UnroutedRow"][];
            counters: components["schemas"]["CorrelationCounters"];
        };
        RuleRow: {
            id: string;
            kind: "rule" | "correlation";
            title: components["schemas"]["Text"];
            level: "informational" | "low" | "medium" | "high" | "critical";
            status: string;
            attack: string[];
            clauses: string[];
            logsource: components["schemas"]["RuleSource"];
            correlation: string;
            state: "enabled" | "disabled" | "waiting";
            needs: string[];
            silent: boolean;
            last_hit: string | null;
            hits: number;
            judged: {
                [key: string]: number;
            };
            precision: number | null;
            cost_nanoseconds: number | null;
            cost_events: number;
        };
        RuleSelection: {
            name: string;
            holds: boolean;
        };
        RuleSource: {
            product: string;
            category: string;
            service: string;
        };
        RuleTrial: {
            time: string;
            logsource: components["schemas"]["RuleSource"];
            fields: {
                [key: string]: unknown;
            };
            rules: components["schemas"]["RuleVerdict"][];
        };
        RuleTrialOrder: {
            event: string;
        };
        RuleVerdict: {
            id: string;
            title: components["schemas"]["Text"];
            logsource: components["schemas"]["RuleSource"];
            routed: boolean;
            holds: boolean;
            verdict: boolean;
            selections: components["schemas"]["RuleSelection"][];
            matched: components["schemas"]["RuleMatch"][];
        };
        ScoreBody: {
            system: string;
            unit: string;
            grade: string;
            level: number;
            time: string;
            rule: string;
            template: string;
            items: number;
            results: number;
            counts: {
                [key: string]: number;
            };
            rate: number | null;
            decided: number;
            conclusion: "符合" | "基本符合" | "不符合" | "未定";
            domains: components["schemas"]["GroupRow"][];
            layers: components["schemas"]["GroupRow"][];
            high_risks: number;
            mitigated: number;
            major_risks: components["schemas"]["MajorRiskRow"][];
            major_open: number;
        };
        ScorePage: {
            first: string;
            last: string;
            rule: {
                [key: string]: number;
            };
            rows: components["schemas"]["ScoreRow"][];
        };
        ScoreRow: {
            unit: string;
            unit_name: string;
            notices: number;
            open: number;
            signed_late: number;
            answered_late: number;
            overdue_days: number;
            check_failed: number;
            score: number;
        };
        SensorCertificate: {
            serial: string;
            fingerprint: string;
            begins: string;
            ends: string;
        };
        SensorCountBody: {
            total: number;
            online: number;
        };
        SensorDetail: {
            sensor: components["schemas"]["SensorRow"];
            events: number;
            cpu_percent: number;
            rss_bytes: number;
            sources: components["schemas"]["SourceRow"][];
            drops: {
                [key: string]: number;
            };
            gaps: components["schemas"]["GapRow"][];
            certificate: components["schemas"]["SensorCertificate"] | null;
            enrolled: string | null;
            draining: string | null;
            drained: string | null;
            revoked: string | null;
            revoked_by: string;
            revoked_reason: string;
            quarantined: string | null;
            quarantine_reason: string;
        };
        SensorPage: {
            rows: components["schemas"]["SensorRow"][];
            units: components["schemas"]["SensorUnit"][];
            tokens: components["schemas"]["OpenToken"][];
            addresses: string[];
            unit: string;
        };
        SensorRow: {
            id: string;
            kind: string;
            unit: string;
            group: string;
            host: string;
            version: string;
            state: "online" | "silent" | "never";
            standing: "active" | "draining" | "drained" | "quarantined" | "revoked" | "unregistered";
            last_seen: string | null;
            last_sequence: number;
            backlog: number;
            gaps: number;
            certificate_ends: string | null;
            configuration_version: number;
            clock_offset_seconds: number | null;
        };
        SensorToken: {
            id: string;
            token: string;
            command: string;
            unit: string;
            group: string;
            expires: string;
        };
        SensorUnit: {
            code: string;
            name: string;
        };
        Session: {
            username: string;
            display_name: string;
            role: "system_admin" | "security_admin" | "audit_admin" | "analyst" | "shift_lead" | "compliance_officer" | "wall_display";
            must_change_password: boolean;
            factor: "" | "otp" | "key";
            permissions: string[];
            csrf: string;
            expires: string;
            center: string;
            unit: string;
        };
        SessionEvent: {
            event: string;
            time: string;
            dataset: string;
            summary: string;
        };
        SetUpDone: {
            accounts: components["schemas"]["IssuedPassword"][];
        };
        SetUpOrder: {
            token: string;
            administrators: components["schemas"]["SetUpPerson"][];
        };
        SetUpPerson: {
            role: "system_admin" | "security_admin" | "audit_admin";
            username: string;
            display_name: string;
            person: string;
        };
        SetUpState: {
            open: boolean;
            banner: string;
        };
        ShareOrder: {
            role: "system_admin" | "security_admin" | "audit_admin" | "analyst" | "shift_lead" | "compliance_officer" | "wall_display";
        };
        ShiftPage: {
            time: string;
            untouched: {
                [key: string]: number;
            };
            ages: components["schemas"]["AgeRow"][];
            owners: components["schemas"]["OwnerRow"][];
            taken: components["schemas"]["WaitRow"];
            closed: components["schemas"]["WaitRow"];
            opened_per_hour: number[];
            closed_per_hour: number[];
            rules: components["schemas"]["BusyRule"][];
            orders_open: number;
            orders_overdue: number;
            late: components["schemas"]["LateOrder"][];
            notices_open: number;
            notices_overdue: number;
            incidents_open: number;
            incidents_overdue: number;
            silent: components["schemas"]["SilentSensor"][];
            held_day: number;
            exceptions_waiting: number;
        };
        SignedOrder: {
            statement: string;
            key: string;
            signature: string;
        };
        SilentSensor: {
            id: string;
            host: string;
            unit: string;
            last_seen: string | null;
        };
        SourceRow: {
            name: string;
            state: "starting" | "running" | "missing" | "failed" | "stopped" | "paused";
            detail: components["schemas"]["Text"];
        };
        StatementOrder: {
            system: string;
            object: string;
            check: string;
            verdict: "符合" | "部分符合" | "不符合" | "不适用";
            reason: string;
            answers?: {
                [key: string]: string;
            };
            attachments?: string[];
            valid_days: number;
        };
        StepOrder: {
            step: "grade" | "expert-review" | "approve" | "file" | "renew" | "build" | "assess" | "rectify" | "operate" | "crypto-assess" | "inspect" | "change" | "retire";
            day: string;
            document: string;
            authority: string;
            conclusion: string;
            valid_until?: string | null;
            note: string;
            grade: string;
        };
        StepRow: {
            step: "grade" | "expert-review" | "approve" | "file" | "renew" | "build" | "assess" | "rectify" | "operate" | "crypto-assess" | "inspect" | "change" | "retire";
            name: components["schemas"]["Text"];
        };
        SupportOrder: {
            ticket: string;
            reason: string;
            hours: number;
        };
        SupportState: {
            port: number;
            open: boolean;
            ticket: string;
            until: string | null;
        };
        SystemBadge: {
            id: string;
            name: string;
            level: number;
            grade: string;
            filing_number: string;
            critical: boolean;
        };
        SystemCheck: {
            system: string;
            check: components["schemas"]["CheckRow"];
        };
        SystemCoverageRow: {
            system: string;
            name: string;
            unit: string;
            grade: string;
            stage: "draft" | "graded" | "reviewed" | "approved" | "filed" | "building" | "assessed" | "rectifying" | "operating" | "changing" | "retired";
            assets: number;
            assets_seen: number;
            checks: number;
            checks_fresh: number;
            orders_open: number;
            tasks_open: number;
            newest: string | null;
            covered: boolean;
        };
        SystemDetail: {
            system: components["schemas"]["SystemRow"];
            path: components["schemas"]["UnitRow"][];
            steps: components["schemas"]["StepRow"][];
            milestones: components["schemas"]["MilestoneRow"][];
            assets: components["schemas"]["AssetRow"][];
            objects: components["schemas"]["ObjectRow"][];
            contacts: components["schemas"]["ContactRow"][];
            history: components["schemas"]["ChangeRow"][];
        };
        SystemOrder: {
            unit: string;
            name: string;
            grade: string;
            extensions: ("cloud" | "mobile" | "iot" | "ics")[];
            owner: string;
            note: string;
            internet: boolean;
            critical: boolean;
            launched?: string | null;
            state_secret: boolean;
            revision: number;
        };
        SystemPage: {
            rows: components["schemas"]["SystemRow"][];
        };
        SystemRow: {
            id: string;
            unit: string;
            name: string;
            level: number;
            grade: string;
            extensions: ("cloud" | "mobile" | "iot" | "ics")[];
            stage: "draft" | "graded" | "reviewed" | "approved" | "filed" | "building" | "assessed" | "rectifying" | "operating" | "changing" | "retired";
            owner: string;
            note: string;
            internet: boolean;
            critical: boolean;
            launched: string | null;
            filing_number: string;
            filed: string | null;
            filing_expires: string | null;
            assessed: string | null;
            assessment_due: string | null;
            crypto_assessed: string | null;
            crypto_due: string | null;
            revision: number;
        };
        TaskChange: {
            state: "open" | "done" | "dropped";
            owner?: string | null;
            note: string;
        };
        TaskDismissal: {
            reason: string;
        };
        TaskOrder: {
            title: string;
            owner: string;
            due?: string | null;
        };
        TaskPage: {
            rows: components["schemas"]["TaskRow"][];
        };
        TaskRow: {
            number: number;
            kind: string;
            key: string;
            unit: string;
            system: string;
            what: components["schemas"]["Text"];
            opened: string;
            due: string | null;
            state: "open" | "done" | "dismissed";
            closed: string | null;
            actor: string;
            reason: string;
        };
        Text: {
            zh: string;
            en: string;
        };
        TimelineEntry: {
            note: string;
            at?: string | null;
        };
        TimelinePage: {
            rows: components["schemas"]["TimelineRow"][];
            since: string;
            until: string;
            reached: string;
        };
        TimelineRow: {
            time: string;
            kind: "alert" | "event" | "change";
            title: components["schemas"]["Text"];
            detail: string;
            severity: ("informational" | "low" | "medium" | "high" | "critical") | "";
            group: string;
            event: string;
        };
        TokenOrder: {
            kind: "host" | "network";
            unit: string;
            group: string;
            addresses: string[];
            hours: number;
        };
        TransferAct: {
            time: string;
            actor: string;
            action: string;
            result: string;
            note: string;
        };
        TransferChannel: {
            channel: string;
            direction: "out" | "in";
            peer: string;
            one_way: boolean;
            epoch: number;
            sequence: number;
            gaps: components["schemas"]["TransferGap"][];
            unconfirmed: number;
            silent: boolean;
            trouble: components["schemas"]["TransferReason"] | null;
            trust: components["schemas"]["TransferTrust"];
        };
        TransferChannels: {
            rows: components["schemas"]["TransferChannel"][];
        };
        TransferChoices: {
            channels: components["schemas"]["TransferRoute"][];
            zones: components["schemas"]["TransferZone"][];
            labels: string[];
            marks: string[];
            incoming: string[];
            ways: components["schemas"]["TransferWay"][];
            validity_days_max: number;
            upload_bytes_max: number;
            upload_files_max: number;
        };
        TransferDetail: {
            transfer: components["schemas"]["TransferRow"];
            package_sm3: string;
            manifest_sm3: string;
            recipients: string[];
            exports: number;
            files: components["schemas"]["TransferFile"][];
            signatures: components["schemas"]["TransferSignature"][];
            history: components["schemas"]["TransferAct"][];
            receipts: components["schemas"]["TransferReceipt"][];
        };
        TransferFile: {
            name: string;
            size: number;
            sm3: string;
        };
        TransferGap: {
            first: number;
            last: number;
        };
        TransferOrder: {
            channel: string;
            application: string;
            purpose: string;
            label: string;
            marks: string[];
            days: number;
            files: string[];
        };
        TransferPage: {
            rows: components["schemas"]["TransferRow"][];
            next: string;
        };
        TransferReason: {
            code: string;
            message: components["schemas"]["Text"];
        };
        TransferReceipt: {
            time: string;
            receiver: string;
            verdict: "accepted" | "refused";
            reason: components["schemas"]["TransferReason"] | null;
            sm3: string;
        };
        TransferRefusal: {
            reason: string;
        };
        TransferRoute: {
            channel: string;
            receiver: string;
            one_way: boolean;
            from_zone: string;
            to_zone: string;
        };
        TransferRow: {
            id: string;
            direction: "out" | "in";
            state: string;
            label: string;
            marks: string[];
            from_zone: string;
            to_zone: string;
            application: string;
            purpose: string;
            channel: string;
            sender: string;
            receiver: string;
            files: number;
            bytes: number;
            issued: string | null;
            expires: string | null;
            author: string;
            approver: string;
            sequence: number | null;
            receipt: "" | "accepted" | "refused";
            reason: components["schemas"]["TransferReason"] | null;
            package_ready: boolean;
        };
        TransferSign: {
            passphrase: string;
        };
        TransferSignature: {
            role: string;
            name: string;
            key_id: string;
            signed: boolean;
        };
        TransferTrust: {
            mode: "keys" | "certificates" | "both";
            keys: number;
            names: string[];
            items: components["schemas"]["TransferTrustItem"][];
            trouble: components["schemas"]["TransferReason"] | null;
        };
        TransferTrustItem: {
            kind: "root" | "issuer" | "crl" | "recipient" | "own";
            name: string;
            begins: string | null;
            ends: string | null;
            state: "good" | "soon" | "ended" | "missing";
        };
        TransferUpload: {
            id: string;
            name: string;
            size: number;
            sm3: string;
        };
        TransferWay: {
            label: string;
            from_zone: string;
            to_zone: string;
            contents: string[];
        };
        TransferZone: {
            id: string;
            name: components["schemas"]["Text"];
        };
        TrendPage: {
            rows: components["schemas"]["TrendRow"][];
        };
        TrendRow: {
            day: string;
            rate: number | null;
            decided: number;
            conclusion: "符合" | "基本符合" | "不符合" | "未定";
            high_risks: number;
            major_open: number;
        };
        UnitCoverageRow: {
            unit: string;
            name: string;
            parent: string | null;
            kind: "province" | "city" | "county" | "department" | "institution";
            sensors: components["schemas"]["SensorCountBody"];
            systems: number;
            systems_covered: number;
            assets: number;
            assets_seen: number;
            unregistered: number;
            orders_open: number;
            tasks_open: number;
        };
        UnitGrading: {
            unit: string;
            systems: number;
            by_level: {
                [key: string]: number;
            };
            conclusions: {
                [key: string]: number;
            };
            counts: {
                [key: string]: number;
            };
            rate: number | null;
            layers: components["schemas"]["GroupRow"][];
            high_risks: number;
            major_risks: number;
            major_rectified: number;
            rule: components["schemas"]["Text"];
            disclaimer: components["schemas"]["Text"];
        };
        UnitOrder: {
            name: string;
            parent?: string | null;
            kind: "province" | "city" | "county" | "department" | "institution";
            retired: boolean;
        };
        UnitPage: {
            own: string;
            rows: components["schemas"]["UnitRow"][];
        };
        UnitRow: {
            code: string;
            name: string;
            parent: string | null;
            kind: "province" | "city" | "county" | "department" | "institution";
            retired: boolean;
        };
        UnroutedRow: {
            product: string;
            category: string;
            service: string;
            events: number;
        };
        UnusualPage: {
            rows: components["schemas"]["UnusualRow"][];
            total: number;
            within: number;
            budget: number;
            shift_hours: number;
            learned: boolean;
        };
        UnusualRow: {
            unit: string;
            entity: string;
            risk: number;
            odd: number | null;
            within: boolean;
            groups: number;
            group: string;
            title: components["schemas"]["Text"];
            reason: components["schemas"]["Text"];
            severity: "informational" | "low" | "medium" | "high" | "critical";
            last: string;
        };
        ValuePage: {
            field: string;
            matched: number;
            rows: components["schemas"]["FieldValue"][];
            more: boolean;
            stopped: boolean;
        };
        VerifyResult: {
            ok: boolean;
            size: number;
            root: string;
            checked_leaves: number;
            checked_payloads: number;
            checked_segments: number;
            seconds: number;
            findings: components["schemas"]["Text"][];
        };
        ViewOrder: {
            name: string;
            settings: components["schemas"]["ViewSettings"];
        };
        ViewPage: {
            rows: components["schemas"]["ViewRow"][];
        };
        ViewRow: {
            id: number;
            name: components["schemas"]["Text"];
            settings: components["schemas"]["ViewSettings"];
            role: string;
            own: boolean;
        };
        ViewSettings: {
            state: "open" | "new" | "acknowledged" | "snoozed" | "withheld" | "closed" | "all";
            q: string;
            hours: number;
            sort: "latest" | "risk" | "count" | "severity";
            by?: ("severity" | "state" | "detector" | "unit" | "owner" | "rule" | "entity")[];
        };
        WaitRow: {
            groups: number;
            mean: number | null;
            median: number | null;
        };
        WallAlert: {
            id: string;
            time: string;
            severity: "informational" | "low" | "medium" | "high" | "critical";
            title: components["schemas"]["Text"];
            place: components["schemas"]["Text"];
            state: "new" | "acknowledged" | "closed";
            count: number;
        };
        WallDue: {
            kind: "order" | "notice" | "incident";
            number: string;
            title: components["schemas"]["Text"];
            place: components["schemas"]["Text"];
            deadline: string;
        };
        WallLayer: {
            layer: string;
            compliant: number;
            partial: number;
            violated: number;
            unknown: number;
        };
        WallPage: {
            time: string;
            center: string;
            colour: "red" | "orange" | "yellow" | "blue" | "none";
            why: components["schemas"]["Text"][];
            open_alerts: {
                [key: string]: number;
            };
            alerts_last_day: number[];
            opened: number[];
            closed: number[];
            tiles: components["schemas"]["WallTile"][];
            province: components["schemas"]["WallTile"];
            flow: components["schemas"]["WallAlert"][];
            layers: components["schemas"]["WallLayer"][];
            orders_open: number;
            orders_overdue: number;
            notices_open: number;
            notices_overdue: number;
            incidents_open: number;
            incidents_overdue: number;
            due: components["schemas"]["WallDue"][];
            sensors_online: number;
            sensors_total: number;
            events_last_hour: number;
            held_day: number;
            ledger_size: number;
            map_approval: string;
        };
        WallTile: {
            code: string;
            name: components["schemas"]["Text"];
            column: number | null;
            row: number | null;
            groups: number;
            worst: ("informational" | "low" | "medium" | "high" | "critical") | null;
            open: {
                [key: string]: number;
            };
            sensors: number;
            sensors_online: number;
        };
        WebhookOrder: {
            name: string;
            url: string;
            events: ("alerts" | "incidents" | "notices" | "orders")[];
            query: string;
            unit: string;
        };
        WebhookPage: {
            rows: components["schemas"]["WebhookRow"][];
        };
        WebhookRow: {
            id: number;
            name: string;
            url: string;
            events: string[];
            query: string;
            unit: string;
            made: string;
            made_by: string;
            ended: string | null;
        };
        Withdrawal: {
            note: string;
        };
        WitnessAlarm: {
            kind: "fork" | "unwitnessed";
            group: string;
            origin: string;
            time: string;
            open: boolean;
            reason: components["schemas"]["Text"];
        };
        WitnessRow: {
            witness: string;
            size: number;
            time: string | null;
            problem: components["schemas"]["Text"] | null;
        };
        WitnessState: {
            key: string;
            quorum: boolean;
            size: number;
            time: string | null;
            unwitnessed_since: string | null;
            waits_since: string | null;
            patience_minutes: number;
            witnesses: components["schemas"]["WitnessRow"][];
            logs: components["schemas"]["WitnessedLog"][];
            alarms: components["schemas"]["WitnessAlarm"][];
        };
        WitnessedLog: {
            origin: string;
            size: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
