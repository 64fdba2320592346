"""A carrier on this machine that answers the part of Twilio's REST API Arrears uses, with scripted borrowers.

It is what runs where there are no Twilio credentials: in the demonstration, in tests, and on a desk. It reaches nobody.
"""

from channels.simulator.callee import Callee
from channels.simulator.messages import Message, MessageLog
from channels.simulator.script import Behaviour, Fault, Receipts, Reply, Script
from channels.simulator.server import Simulator

__all__ = ["Behaviour", "Callee", "Fault", "Message", "MessageLog", "Receipts", "Reply", "Script", "Simulator"]
