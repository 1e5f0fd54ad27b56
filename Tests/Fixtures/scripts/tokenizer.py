"""Makes Tests/Fixtures/tokenizer: four small byte-level BPE tokenizers, and what `tokenizers` makes of nasty texts.

Run with tokenizers 0.23.3: python3 Tests/Fixtures/scripts/tokenizer.py
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FIXTURES = pathlib.Path(__file__).resolve().parent.parent
OUT = FIXTURES / "tokenizer"

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")

# What the tokenizers are trained on: enough of several scripts that merges cross every kind of boundary.
CORPUS = """
It's not what they're saying; we've seen that I'm the one who'd know, and he'll say it isn't so. IT'S WHAT THEY'RE SAYING.
The quick brown fox jumps over the lazy dog, and then the dog sleeps in the sun for 12 hours and 345 minutes until 2024-11-24.
There is nothing either good or bad, but thinking makes it so. The rest is silence. The better part of valour is discretion.
Brevity is the soul of wit; though this be madness, yet there is method in it. Neither a borrower nor a lender be.
    def forward(self, x):\n        return self.down(self.gate(x) * self.up(x))\n\n\n    for i in range(1000):\r\n\tprint(i)\r\n
Wörter über Größe und Maß: die Übung macht den Meister, schöne Grüße aus Köln. L'été où l'élève naïf déjà rêvait.
Съешь же ещё этих мягких французских булок, да выпей чаю. Москва, 1234567 рублей.
我们正在测试分词器。他们说这是一个很好的例子，我们不同意。日本語の文章も少しあります。東京は大きいです。
हम हिन्दी में लिख रहे हैं। यह एक परीक्षण है। नमस्ते दुनिया।
مرحبا بالعالم، هذا اختبار. שלום עולם, זה מבחן.
안녕하세요 세계. 한국어 문장입니다. ข้อความภาษาไทย
😀😀 👩‍👩‍👧‍👦 🇩🇪🇫🇷 ❤️ ½ ² Ⅷ ٣٤٥ é e\u0301 ﬁ ...!!! ??? --- === <<< >>> // /* */ {} [] () "" ''
"""

TEXTS = [
    "", " ", "  ", "   ", "a", " a", "  a", "   a", "a ", "a  ", "a   b", "\t", "\ta", "\t\ta", " \ta", "\t a",
    "\n", "\n\n", "a\n", "a\nb", "a\n\nb", "a \nb", "a\n b", "a\n  b", "a  \n\n  b", "a\r\nb", "a\r\n\r\n b", "\r", "\r\n \r\n",
    "!\n", "!\n\n", "! \n", " !\r\n x", "!!!\n\n\na", "...\r\nb", "a.\n\n\tb", "x = 1;\n\t\ty = 2;  \n",
    "It's", "IT'S", "it's we're I've I'm he'll I'd don't", "IT'S WE'RE I'VE I'M HE'LL I'D DON'T", "'s", "''s", "'S", "'ſ", "a'ſb",
    "'re 'Re 'rE 'RE", "'ll 'lL 'l", "'tis 'twas 'em", "rock'n'roll", "it’s", "x'", "'", "' s", "'1", "a''b", "'\n", "'ve'",
    "0", "12", "123", "1234", "12345678901", " 1", "  1", "   12", "a1", "1a", "1 2", "1  2", "1\n2", "3.14", "1,000,000", "-5", "v2.0",
    "x1y22z333w4444", "2024-11-24T12:34:56", " 1a 22b", "a 5", "a  5", "  5  ", "\t5", "Ⅷ", "Ⅷa", "²", "x²", "½ cup", "٣٤٥", "१२३४",
    "x²y³", "10⁻³", "㉈", "一二三", "𝟘𝟙𝟚𝟛", "你好", "你好，世界！", "我们123测试", "日本語テキスト", "カタカナ・ひらがな", "한국어 문장", "ภาษาไทย ที่นี่",
    "नमस्ते", "हिन्दी में", "क्षत्रिय", "مرحبا بالعالم", "שָׁלוֹם", "abc שלום def", "e\u0301", "é", "e\u0301a\u0300", "\u0301", "a\u0301\u0302b", " \u0301",
    "Å", "\u212b", "ﬁ", "ﬀ", "ẞß", "ǅ", "ʰ", "ª", "İı", "Ǆungla", "ΣΑΣ ς", "Ω\u2126", "가\u1100\u1161",
    "😀", "😀😀", " 😀", "a😀b", "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪🇫🇷", "❤️", "1️⃣", "a\u200db", "\u200d", "a\u200bb", "\u200c", "\ufeffa", "a\u2060b",
    "a\u00a0b", "\u00a0", "\u00a0\u00a0a", " \u00a0a", "\u00a0 a", "a\u0085b", "\u0085\u0085", "\u2003a", "\u2028a", "a\u2029", "\u3000你好", "\u1680x",
    "\u180ea", "\u202fx", "\u205f\u205fx", "\u000b", "\u000ca", "\u001c", "\u001fx", "\u0000", "\u0004\u0006x", "\u007f", "\u0080", "\u00ad",
    "\ue000", "\uffff", "\U0010ffff", "\U000e0001", "\u0378", "\ufffd", "C:\\path\\to", "http://a.b/c?d=e&f=g#h", "a_b-c", "$100", "50%", "#tag @user",
    "{\"key\": [1, 2.5, null]}", "<p>x</p>", "((()))", "-----", "=====\n", "a--b", "…", "“quoted”", "‘single’", "«x»", "¿qué?", "naïve café",
    "for (int i = 0; i < 10; i++) {\n    printf(\"%d\\n\", i);\n}\n", "    indented\n        more\n    less\n", "trailing   ", "trailing\t", "trailing\n   ",
    "The quick brown fox jumps over the lazy dog.", "Съешь же ещё этих", "Größe, Übung", "a" * 50, " " * 17 + "x", "\n" * 9 + " x", "ab" * 40,
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext", "<tool>", "<tool>x", "a <tool>xy <tool", "<<tool>>",
    "<|begin_of_text|>Hi<|eot_id|>\n", "1<tool>2", "it's<tool>'s", "the<tool> the", "e<tool>\u0301",
]

PIECES = (
    ["'", "'s", "'S", "'LL", "'re", "'ſ", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u0085", "\u2003", "\u200d", "\u0301", "\u093f"]
    + ["a", "Z", "é", "ß", "ſ", "ж", "中", "が", "한", "ह", "ي", "ש", "1", "22", "7890", "²", "Ⅷ", "٣", "½", "㉈"]
    + ["!", ".", "...", "-", "_", "\"", "/", "😀", "🏽", "❤️", "\ufeff", "\u0000", "\u0378", "𝟘", "𐐀", "the", " the", "ing"]
)


def texts():
    generator = random.Random(7)
    fuzz = ["".join(generator.choices(PIECES, k=generator.randint(2, 14))) for _ in range(150)]
    return list(dict.fromkeys(TEXTS + fuzz))


def train(pre_tokenizer, alphabet, special, vocabulary):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, min_frequency=1, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator([CORPUS], trainer)
    return tokenizer


def split(pattern):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def gpt2(alphabet):
    tokenizer = train(pre_tokenizers.ByteLevel(add_prefix_space=False), alphabet, ["<|endoftext|>"], 1000)
    # As older files have them.
    described = json.loads(tokenizer.to_str())
    described["model"]["merges"] = [" ".join(merge) for merge in described["model"]["merges"]]
    return Tokenizer.from_str(json.dumps(described)), described


def smollm(alphabet):
    # Like SmolLM2, it has no tokens for bytes that are rare: just for those of the corpus and printable ASCII.
    pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    ascii_only = [character for character in alphabet if 33 <= ord(character) < 127]
    tokenizer = train(pre_tokenizer, ascii_only, ["<|endoftext|>", "<|im_start|>"], 1000)
    return tokenizer, json.loads(tokenizer.to_str())


def llama3(alphabet):
    tokenizer = train(split(LLAMA3), alphabet, [], 1000)
    described = json.loads(tokenizer.to_str())
    # Every ninth merge is gone: only ignore_merges reaches some words now.
    del described["model"]["merges"][3::9]
    described["model"]["ignore_merges"] = True
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>", "<|endoftext|>"])
    tokenizer.add_tokens([AddedToken(content, normalized=False) for content in ["<tool>", "<tool>x"]])
    begin = "<|begin_of_text|>"
    template = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin}:1 $B:1", special_tokens=[(begin, tokenizer.token_to_id(begin))]
    )
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return tokenizer, json.loads(tokenizer.to_str())


def qwen2(alphabet):
    tokenizer = train(split(QWEN2), alphabet, [], 1000)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>"])
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    return tokenizer, json.loads(tokenizer.to_str())


def golden(tokenizer):
    """Of each text: its ids, its ids where control tokens are plain text if they differ, and where its words end."""
    rows = []
    for text in texts():
        tokenizer.encode_special_tokens = False
        ids = tokenizer.encode(text).ids
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text).ids
        ends, end = [], 0
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text):
            end += len(word)  # one character of the byte-level alphabet for each byte
            ends.append(end)
        rows.append([ids, plain if plain != ids else None, ends])
    return rows


def write(name, value):
    rows = isinstance(value, list)
    text = "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in value) + "\n]\n" if rows else (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    )
    (OUT / name).write_text(text, encoding="utf-8")


def matched(pattern):
    """Ranges of the code points that one character of `pattern` matches, as first, last, first, last ..."""
    remover = pre_tokenizers.Split(Regex(pattern), "removed")
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    found = []
    for start in range(0, len(points), 4096):
        block = points[start : start + 4096]
        kept = set("".join(word for word, _ in remover.pre_tokenize_str("".join(map(chr, block)))))
        found += [point for point in block if chr(point) not in kept]
    ranges = []
    for point in found:
        if ranges and ranges[-1] == point - 1:
            ranges[-1] = point
        else:
            ranges += [point, point]
    return ranges


def main():
    OUT.mkdir(exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    write("texts.json", texts())
    for make in [gpt2, smollm, llama3, qwen2]:
        tokenizer, described = make(alphabet)
        write(f"{make.__name__}.json", described)
        write(f"{make.__name__}-golden.json", golden(tokenizer))
    write("bard-golden.json", golden(Tokenizer.from_file(str(FIXTURES / "bard" / "tokenizer.json"))))
    write("characters.json", {"letter": matched(r"\p{L}"), "number": matched(r"\p{N}"), "space": matched(r"\s")})


if __name__ == "__main__":
    main()
