import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prometheusRulesFile } from '../../core/operations/prometheus-rules.ts';

writeFileSync(join(import.meta.dirname, 'rules.yml'), prometheusRulesFile());
