-- migrate:up

-- Two lenders' loans could have one workflow, `loan-a-b-c`. The intake refuses the later loan; should two be here already, one case stands.
create unique index cases_by_workflow on cases (workflow_id);

-- migrate:down
