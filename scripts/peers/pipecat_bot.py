"""Pipecat's WhatsApp bot, run by its own runner (`--whatsapp`), with both base URLs pointed at the simulators."""

import os

import aiohttp
import aioice.ice
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.runner.utils import create_transport
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.whatsapp import client
from pipecat.transports.whatsapp.api import WhatsAppApi
from pipecat.workers.runner import WorkerRunner

WhatsAppApi.BASE_URL = os.environ["GRAPH_URL"] + "/"


class WhatsAppClient(client.WhatsAppClient):
    """The runner's client, without its public STUN server."""

    def __init__(self, **settings):
        super().__init__(ice_servers=[], **settings)


client.WhatsAppClient = WhatsAppClient
# ICE gathers every address but loopback's, and there is no other here.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

TOOLS = [
    FunctionSchema("find_order", "Looks an order up.", {"order": {"type": "string"}}, ["order"]),
    FunctionSchema("end_call", "Hangs up.", {}, []),
]
HEARING = events.AudioInput(transcription=events.InputAudioTranscription(), turn_detection=events.TurnDetection())


async def find_order(params):
    await params.result_callback({"order": params.arguments["order"], "state": "ready"})


async def hang_up(call):
    async with aiohttp.ClientSession() as session:
        api = WhatsAppApi(os.environ["WHATSAPP_TOKEN"], os.environ["WHATSAPP_PHONE_NUMBER_ID"], session)
        await api.terminate_call_to_whatsapp(call.id)


async def bot(runner_args):
    transport = await create_transport(
        runner_args, {"webrtc": lambda: TransportParams(audio_in_enabled=True, audio_out_enabled=True)}
    )
    llm = OpenAIRealtimeLLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=os.environ["REALTIME_URL"],
        settings=OpenAIRealtimeLLMService.Settings(
            system_instruction="You answer calls for a bicycle shop.",
            session_properties=events.SessionProperties(audio=events.AudioConfiguration(input=HEARING)),
        ),
    )
    llm.register_function("find_order", find_order)
    llm.register_function("end_call", lambda params: hang_up(runner_args.body))
    context = LLMContext(tools=ToolsSchema(TOOLS))
    user, assistant = LLMContextAggregatorPair(context)
    pipeline = Pipeline([transport.input(), user, llm, transport.output(), assistant])
    worker = PipelineWorker(pipeline, params=PipelineParams(audio_in_sample_rate=24000, audio_out_sample_rate=24000))

    @transport.event_handler("on_client_connected")
    async def greet(transport, participant):
        await worker.queue_frames([LLMRunFrame()])

    @transport.event_handler("on_client_disconnected")
    async def leave(transport, participant):
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
