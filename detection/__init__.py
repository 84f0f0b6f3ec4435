"""Events become alerts: conditions, Sigma rules, detectors, pipeline, stores."""
