"""Energy estimate: what the synaptic operations of a sample would cost in arithmetic alone, in 45 nm, 32-bit floating point.

An addition costs 0.9 pJ and a multiplication 3.7 pJ, so an accumulate 0.9 pJ and a multiply-accumulate 4.6 pJ: Horowitz,
"Computing's energy problem (and what we can do about it)", ISSCC 2014, 10-14. The counts are those of
`synaptic_operations`, all that is said there of what is counted and what is free included.

This is no measurement, and no energy of any chip. It leaves out memory, which Horowitz's own table puts at 5 pJ to 2 nJ for
each access and which is most of the energy of real hardware, neuron updates, the moving of spikes, and leakage; other
processes and number formats differ by factors. Two networks may be compared by it where their operations are of one kind;
a ratio of "ANN" to "SNN" by these constants says little. NeuroBench 2.3 has no such figure.
"""

from __future__ import annotations

from eventbench.metrics.base import Figure
from eventbench.metrics.synaptic_operations import SynapticOperations

PJ_PER_AC = 0.9
PJ_PER_MAC = 4.6


class EnergyEstimate(SynapticOperations):
    """`energy_estimate`: 0.9 pJ for each effective AC, 4.6 pJ for each effective MAC, in the mean of a sample.

    `energy_estimate.dense`: 4.6 pJ for each dense operation, as if nothing were zero and nothing binary. Not counted, or empty,
    where `synaptic_operations` is, and for the same reason.
    """

    def value(self) -> dict[str, Figure]:
        """The two estimates, from the counts."""
        counts = super().value()
        if not counts:
            return {}
        acs, macs, dense = (counts[key].value for key in ("effective_acs", "effective_macs", "dense"))
        return {
            "": Figure((PJ_PER_AC * acs + PJ_PER_MAC * macs) / 1000, "nJ/sample", "lower"),
            "dense": Figure(PJ_PER_MAC * dense / 1000, "nJ/sample", "lower"),
        }
