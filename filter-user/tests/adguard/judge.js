// What AdGuard's DNS engine says: `node judge.js LIST...` reads names from standard input, one a line, and writes for
// each `block`, `allow` or `pass`, a tab, and the rule.

import { readFileSync } from 'node:fs';
import { CompatibilityTypes, DnsEngine, RuleStorage, StringRuleList, logger, setConfiguration } from '@adguard/tsurlfilter';

setConfiguration({ engine: null, version: null, verbose: false, compatibility: CompatibilityTypes.Dns });

const lists = process.argv.slice(2).map((path, index) => {
    const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
    return new StringRuleList(index + 1, text, true, true, false);
});
const storage = new RuleStorage(lists);
const engine = new DnsEngine(storage);

const text = (rule) => storage.retrieveRuleText(rule.getFilterListId(), rule.getIndex()) ?? '';

const verdict = (name) => {
    const { basicRule, hostRules } = engine.match(name);
    if (basicRule) {
        return `${basicRule.isAllowlist() ? 'allow' : 'block'}\t${text(basicRule)}`;
    }
    return hostRules.length > 0 ? `block\t${text(hostRules[0])}` : 'pass\t';
};

const names = readFileSync(0, 'utf8').split('\n').filter((name) => name !== '');
process.stdout.write(names.map((name) => `${verdict(name)}\n`).join(''));
