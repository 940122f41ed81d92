// The pre-tokenizers that model files name, as their own tokenizer.json files define them. White
// space classes are written [\s] and not \s: ICU runs a loop over a bracketed set in constant
// stack, so that a megabyte of spaces fits.
#include "llmir/formats/tokenizer/PreTokenizer.h"

namespace llmir {

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES "[\\s]+(?!\\S)|[\\s]+"
#define LINES "[\\s]*[\\r\\n]+|" SPACES
#define SYMBOLS_AND_LINES " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" LINES
#define SYMBOLS_SLASH_AND_LINES " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" LINES
#define WORD "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE_WORD "[^\\r\\n\\p{L}\\p{N}]?"
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|" SPACES
#define ASCII_PUNCTUATION "[!\"#$%\\&'()*+,\\-./:;<=>?@\\[\\\\\\]\\^_`{|}~]"
#define NOT_SENTENCE_MARKS " ?[^(\\s|.,!?\\u2026\\u3002\\uFF0C\\u3001\\u0964\\u06D4\\u060C)]+"

// Cased letters, as DeepSeek LLM lists them.
#define DEEPSEEK_LETTERS                                                                           \
  "A-Za-z\\u00B5\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u01BA\\u01BC-\\u01BF\\u01C4-\\u0293"       \
  "\\u0295-\\u02AF\\u0370-\\u0373\\u0376\\u0377\\u037B-\\u037D\\u037F\\u0386\\u0388-\\u038A"       \
  "\\u038C\\u038E-\\u03A1\\u03A3-\\u03F5\\u03F7-\\u0481\\u048A-\\u052F\\u0531-\\u0556"             \
  "\\u10A0-\\u10C5\\u13A0-\\u13F5\\u13F8-\\u13FD\\u1C90-\\u1CBA\\u1CBD-\\u1CBF"                    \
  "\\u1D00-\\u1D2B\\u1D6B-\\u1D77\\u1D79-\\u1D9A\\u1E00-\\u1F15\\u1F18-\\u1F1D"                    \
  "\\u1F20-\\u1F45\\u1F48-\\u1F4D\\u1F50-\\u1F57\\u1F59\\u1F5B\\u1F5D\\u1F5F-\\u1F7D"              \
  "\\u1F80-\\u1FB4\\u1FB6-\\u1FBC\\u1FBE\\u1FC2-\\u1FC4\\u1FC6-\\u1FCC\\u1FD0-\\u1FD3"             \
  "\\u1FD6-\\u1FDB\\u1FE0-\\u1FEC\\u1FF2-\\u1FF4\\u1FF6-\\u1FFC\\u2102\\u2107"                     \
  "\\u210A-\\u2113\\u2115\\u2119-\\u211D\\u2124\\u2126\\u2128\\u212A-\\u212D\\u212F-\\u2134"       \
  "\\u2139\\u213C-\\u213F\\u2145-\\u2149\\u214E\\u2183\\u2184\\u2C00-\\u2C7B\\u2C7E-\\u2CE4"       \
  "\\u2CEB-\\u2CEE\\u2CF2\\u2CF3\\uA640-\\uA66D\\uA680-\\uA69B\\uA722-\\uA76F"                     \
  "\\uA771-\\uA787\\uA78B-\\uA78E\\uAB70-\\uABBF\\uFB00-\\uFB06\\uFB13-\\uFB17"                    \
  "\\uFF21-\\uFF3A\\uFF41-\\uFF5A\\U00010400-\\U0001044F\\U000104B0-\\U000104D3"                   \
  "\\U000104D8-\\U000104FB\\U00010C80-\\U00010CB2\\U00010CC0-\\U00010CF2"                          \
  "\\U000118A0-\\U000118DF\\U0001E900-\\U0001E943"

static const char *const gpt2[] = {GPT2};
static const char *const digitsThenGpt2[] = {"\\p{N}", GPT2};
static const char *const byDefault[] = {"[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+",
                                        "[0-9][0-9][0-9]"};
static const char *const falcon[] = {"[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"};
static const char *const llama3[] = {CONTRACTIONS "|" WORD "|\\p{N}{1,3}|" SYMBOLS_AND_LINES};
static const char *const qwen2[] = {CONTRACTIONS "|" WORD "|\\p{N}|" SYMBOLS_AND_LINES};
static const char *const qwen35[] = {
    CONTRACTIONS "|" BEFORE_WORD
                 "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES};
static const char *const miniCpm5[] = {"\\p{N}{1,3}",
                                       CONTRACTIONS "|" WORD "|\\p{N}+|" SYMBOLS_AND_LINES};
static const char *const seedCoder[] = {CONTRACTIONS "|" WORD
                                                     "|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" LINES};
static const char *const bailing[] = {
    "'(?i:[sdmt]|ll|ve|re)|" WORD "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|[\\s]*[\\r\\n]|" SPACES};
static const char *const tekken[] = {BEFORE_WORD UPPER "*" LOWER "+|" BEFORE_WORD UPPER "+" LOWER
                                                       "*|\\p{N}|" SYMBOLS_SLASH_AND_LINES};
static const char *const gpt4o[] = {BEFORE_WORD UPPER
                                    "*" LOWER "+" CONTRACTIONS "?|" BEFORE_WORD UPPER "+" LOWER
                                    "*" CONTRACTIONS "?|\\p{N}{1,3}|" SYMBOLS_SLASH_AND_LINES};
static const char *const deepseekLlm[] = {
    "[\\r\\n]",
    "\\s?[" DEEPSEEK_LETTERS "]+",
    "\\s?[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+",
    "[\\s]+\\z",
    "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+",
    "\\p{N}+"};
static const char *const deepseekCoder[] = {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+",
                                            "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+",
                                            "\\p{N}"};
static const char *const deepseek3[] = {
    "\\p{N}{1,3}", "[\\u4E00-\\u9FA5\\u3040-\\u309F\\u30A0-\\u30FF]+",
    ASCII_PUNCTUATION "[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
                      "?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES};
static const char *const bloom[] = {NOT_SENTENCE_MARKS};
static const char *const viking[] = {NOT_SENTENCE_MARKS, "\\p{N}"};

static const PreTokenizerRow table[] = {
    // name, patterns, ignoreMerges, addBos
    {"default", byDefault, false, false},
    {"gpt-2", gpt2, false, false},
    {"phi-2", gpt2, false, false},
    {"mpt", gpt2, false, false},
    {"olmo", gpt2, false, false},
    {"jais", gpt2, false, false},
    {"trillion", gpt2, false, false},
    {"granite-docling", gpt2, false, false},
    {"modern-bert", gpt2, false, false},
    {"exaone4", gpt2, false, false},
    {"gigachat", gpt2, false, false},
    {"a.x-4.0", gpt2, false, false},
    {"mellum", gpt2, false, false},
    {"smollm", digitsThenGpt2, false, false},
    {"starcoder", digitsThenGpt2, false, false},
    {"refact", digitsThenGpt2, false, false},
    {"command-r", digitsThenGpt2, false, false},
    {"codeshell", digitsThenGpt2, false, false},
    {"exaone", digitsThenGpt2, false, false},
    {"minerva-7b", digitsThenGpt2, false, false},
    {"mellum2", digitsThenGpt2, false, false},
    {"llama-bpe", llama3, true, true},
    {"llama3", llama3, true, true},
    {"llama-v3", llama3, true, true},
    {"falcon3", llama3, true, true},
    {"falcon-h1", llama3, true, true},
    {"pixtral", llama3, true, true},
    {"midm-2.0", llama3, true, true},
    {"lfm2", llama3, true, true},
    {"dbrx", llama3, false, false},
    {"smaug-bpe", llama3, false, false},
    {"glm4", llama3, false, false},
    {"chatglm-bpe", llama3, false, false},
    {"qwen2", qwen2, false, false},
    {"deepseek-r1-qwen", qwen2, false, false},
    {"kormo", qwen2, false, false},
    {"megrez", qwen2, false, false},
    {"stablelm2", qwen2, false, false},
    {"hunyuan", qwen2, false, false},
    {"solar-open", qwen2, false, false},
    {"grok-2", qwen2, false, false},
    {"qwen35", qwen35, false, false},
    {"minicpm5", miniCpm5, true, false},
    {"seed-coder", seedCoder, false, false},
    {"bailingmoe", bailing, false, false},
    {"bailingmoe2", bailing, false, false},
    {"llada-moe", bailing, false, false},
    {"tekken", tekken, true, true},
    {"gpt-4o", gpt4o, false, false},
    {"llama4", gpt4o, false, false},
    {"kanana2", gpt4o, false, false},
    {"minimax-m2", gpt4o, false, false},
    {"deepseek-llm", deepseekLlm, false, false},
    {"deepseek-coder", deepseekCoder, false, false},
    {"deepseek-v3", deepseek3, false, false},
    {"hunyuan-dense", deepseek3, false, false},
    {"joyai-llm", deepseek3, false, false},
    {"falcon", falcon, false, false},
    {"bloom", bloom, false, false},
    {"poro-chat", bloom, false, false},
    {"gpt3-finnish", bloom, false, false},
    {"viking", viking, false, false},
};

std::span<const PreTokenizerRow> preTokenizerTable() { return table; }

} // namespace llmir
