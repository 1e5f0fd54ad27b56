/// The report's style sheet: light and dark, readable on a phone.
enum ReportStyle {
    static let css = """
        :root{color-scheme:light dark;--ink:#1c2024;--paper:#fff;--line:#c9ced6;--good:#0a6b3d;--bad:#a8201a;--mark:#1f5fbf}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--paper:#15181c;--line:#3a4048;--good:#5ecb93;--bad:#ff8b80;--mark:#7fb2ff}}
        body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:70rem;margin:0 auto;padding:1rem}
        h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums}
        th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
        .wide{overflow-x:auto}.met{color:var(--good)}.missed{color:var(--bad);font-weight:600}
        .heat{font-size:.8rem;display:block;overflow-x:auto}
        .heat td{background:color-mix(in srgb,var(--mark) calc(var(--share)*70%),transparent);text-align:center}
        .heat td.none{background:none}
        svg{width:100%;max-width:44rem;height:auto;font-size:12px}svg text{fill:var(--ink)}
        .axis{fill:none;stroke:var(--line)}.front{fill:none;stroke:var(--mark);stroke-width:2}
        .chosen{fill:var(--mark)}.baseline{fill:none;stroke:var(--bad);stroke-width:2}
        """
}
