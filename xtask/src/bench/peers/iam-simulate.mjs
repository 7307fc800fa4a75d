// @cloud-copilot/iam-simulate on the cases of a file, one decision a line, and the evaluations of a CPU second on
// standard error: `node iam-simulate.mjs CASES`.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { runSimulation } = createRequire(process.env.PEER_FOLDER + '/')('@cloud-copilot/iam-simulate')
const named = (policies) => (policies ?? []).map((policy, at) => ({ name: `p${at}`, policy }))
const levels = (nodes) => (nodes ?? []).map(({ node, policies }) => ({ orgIdentifier: node, policies: named(policies) }))

const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter((line) => line)
const cases = lines.map((line) => JSON.parse(line))
const before = process.cpuUsage()
for (const { request, policies } of cases) {
  const { overallResult, errors } = await runSimulation({
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.resource_account },
      contextVariables: request.context ?? {},
    },
    identityPolicies: named(policies.identity),
    resourcePolicy: policies.resource,
    serviceControlPolicies: levels(policies.scp),
    resourceControlPolicies: levels(policies.rcp),
    permissionBoundaryPolicies: policies.boundary && named(policies.boundary),
    vpcEndpointPolicies: policies.vpc_endpoint && named(policies.vpc_endpoint),
    sessionPolicy: policies.session,
  }, {})
  console.log(overallResult ?? `error: ${JSON.stringify(errors)}`)
}
const { user, system } = process.cpuUsage(before)
console.error(Math.round((cases.length * 1e6) / (user + system)))
