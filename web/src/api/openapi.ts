/** Bodies of the HTTP API. Made by `npm run types`; do not edit. */

export interface components {
    schemas: {
        AlertBody: {
            id: string;
            time: string;
            detected: string;
            reason: components["schemas"]["Text"];
            events: components["schemas"]["EventRow"][];
            matched: components["schemas"]["MatchRow"][];
        };
        AlertDetail: {
            group: components["schemas"]["AlertGroup"];
            alerts: components["schemas"]["AlertBody"][];
            history: components["schemas"]["HistoryRow"][];
        };
        AlertGroup: {
            id: string;
            rule: string;
            detector: "sigma" | "anomaly" | "special" | "health";
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
        };
        AlertPage: {
            rows: components["schemas"]["AlertGroup"][];
            total: number;
            revision: number;
            next: string;
        };
        AuditPage: {
            rows: components["schemas"]["AuditRow"][];
            next: string;
        };
        AuditRow: {
            time: string;
            actor: string;
            source: string;
            action: string;
            object: string;
            result: string;
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
        CloseAlert: {
            classification: "true_positive" | "benign_positive" | "false_positive" | "test";
            reason: string;
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
        Health: {
            status: "ok";
        };
        HistoryRow: {
            time: string;
            actor: string;
            action: string;
            note: string;
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
        };
        MatchRow: {
            event: string;
            field: string;
            value: unknown;
            selection: string;
        };
        MoveSensor: {
            unit: string;
            group: string;
        };
        OpenToken: {
            id: string;
            unit: string;
            group: string;
            actor: string;
            created: string;
            expires: string;
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
        PasswordChange: {
            old: string;
            new: string;
        };
        Problem: {
            code: string;
            message: components["schemas"]["Text"];
            fix: components["schemas"]["Text"];
            field: string;
        };
        ReportOrder: {
            month: string;
        };
        ReportPage: {
            rows: components["schemas"]["ReportRow"][];
        };
        ReportRow: {
            id: string;
            month: string;
            unit: string;
            edition: number;
            created: string;
            actor: string;
            pdf_sm3: string;
            xlsx_sm3: string;
            leaf: number;
        };
        RevokeSensor: {
            reason: string;
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
        SensorCertificate: {
            serial: string;
            fingerprint: string;
            begins: string;
            ends: string;
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
            permissions: string[];
            csrf: string;
            expires: string;
            center: string;
            unit: string;
        };
        SourceRow: {
            name: string;
            state: "starting" | "running" | "missing" | "failed" | "stopped" | "paused";
            detail: components["schemas"]["Text"];
        };
        Text: {
            zh: string;
            en: string;
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
        UnroutedRow: {
            product: string;
            category: string;
            service: string;
            events: number;
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
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
