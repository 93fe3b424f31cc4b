/**
 * ai/realtime/realtime.h: providers that hear and speak over one WebSocket. One core (rt.h), one
 * dialect per protocol. What each can do and which settings it reads: README.md.
 */
#ifndef VA_AI_REALTIME_REALTIME_H
#define VA_AI_REALTIME_REALTIME_H

#include "ai/provider.h"

/** OpenAI's Realtime API, GA shape (openai/). */
extern const struct provider_ops provider_openai;
/** The same on Azure OpenAI: its URL, its key header. */
extern const struct provider_ops provider_azure;
/** xAI's voice API: OpenAI's events with its own session and without truncation. */
extern const struct provider_ops provider_xai;
/** Servers that speak OpenAI's protocol, at OPENAI_BASE_URL: LocalAI, speech-to-speech, … */
extern const struct provider_ops provider_openai_compatible;
/** Google's Gemini Live (gemini/): turns and interruptions are its own, sessions are resumed. */
extern const struct provider_ops provider_gemini;
/** ElevenLabs Agents: an agent that is configured over there. */
extern const struct provider_ops provider_elevenlabs;
/** Deepgram's Voice Agent: its ear and voice around a model of the settings. */
extern const struct provider_ops provider_deepgram;
/** Ultravox: a call of its own, made over HTTP and joined. */
extern const struct provider_ops provider_ultravox;
/** OpenAI's GPT-Live: one continuous stream each way, no turns and nothing to interrupt. */
extern const struct provider_ops provider_gpt_live;

#endif
