"""Tables of claims: bar, measured, the command that measures it, open or met. `make claims`, or OF=main-job for one."""

from benchmarks.claims import cifar_campaign, gnet, logic_gates, main_job, pcpp_fda

# Name, as in OF=, -> the claims.
TABLES = {"main-job": main_job.CLAIMS, "logic-gates": logic_gates.CLAIMS, "gnet": gnet.CLAIMS,
          "pcpp-fda": pcpp_fda.CLAIMS, "cifar-campaign": cifar_campaign.CLAIMS}  # fmt: skip
