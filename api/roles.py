"""What a person or machine may be at a plant."""

from enum import StrEnum


class Role(StrEnum):
    """What a person may be at a plant. Separation of duties is by person, never by role alone."""

    PLANNER = "planner"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    WAREHOUSE_KEEPER = "warehouseKeeper"
    QC_ANALYST = "qcAnalyst"
    QA_REVIEWER = "qaReviewer"
    QUALITY_MANAGER = "qualityManager"
    QUALIFIED_PERSON = "qualifiedPerson"
    MAINTENANCE = "maintenance"
    METROLOGY = "metrology"
    PROCESS_ENGINEER = "processEngineer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    DATA_ANALYST = "dataAnalyst"
    INTEGRATION = "integration"
